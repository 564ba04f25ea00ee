"""Three hospitals tune one adapter; a tiny model of random weights, the real line and commands."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.train
torch = pytest.importorskip("torch")
pytest.importorskip("peft")
pytest.importorskip("cryptography")

sys.path.insert(0, str(Path(__file__).parents[3] / "serving" / "ir"))

from complete_checkpoint import write_complete  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from assistant.cli import app  # noqa: E402
from assistant.training.federated import keys, lm_party, plans, server, site  # noqa: E402
from assistant.training.federated.lm_plan import LmPlan  # noqa: E402
from assistant.training.federated.members import Joined, Rules, SiteRefused  # noqa: E402
from assistant.training.federated.message import MessageInvalid, Weights, norm  # noqa: E402
from assistant.training.federated.plan import Learning  # noqa: E402
from assistant.training.federated.rounds import Federation  # noqa: E402
from assistant.training.lm.base_model import Base, open_base  # noqa: E402
from assistant.training.lm.lines import Row, read  # noqa: E402

NAMES = ("a", "b", "c")
DRUGS = {"a": "阿司匹林", "b": "青霉素", "c": "胰岛素"}
LEARNING = Learning(rounds=4, epochs=1.0, tokens=512, rate=2e-2, decay=0.0)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = write_complete(tmp_path_factory.mktemp("base") / "tiny")
    told = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    for name, drug in DRUGS.items():
        lines = [
            {"messages": [{"role": "user", "content": f"第{n}问：能否服用{drug}？"},
                          {"role": "assistant", "content": f"{drug}须遵医嘱。"}]}
            for n in range(12)
        ]  # fmt: skip
        text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


def plan_of(base: Base, size: int, **more: object) -> LmPlan:
    return LmPlan(LEARNING, base.fingerprint, 4, 8.0, ("q_proj", "v_proj"), 128, size)


def party(source: Path, name: str) -> lm_party.LmParty:
    rows: list[Row] = read([source / f"{name}.jsonl"], "sft")
    return lm_party.LmParty(open_base(source, "f32"), source, rows[2:], rows[:2])


def test_an_adapter_that_three_sites_learnt_serves_all_their_lines(
    source: Path, tmp_path: Path
) -> None:
    """One site by the command, two in threads; what the others know is in every site's adapter."""
    keys.make(tmp_path, "coordinator", ["127.0.0.1"])
    for name in NAMES:
        keys.make(tmp_path / "sites", name, [])
    allowed = keys.allowed(tmp_path / "sites")
    base = open_base(source, "f32")

    def begin(joined: dict[str, Joined]) -> tuple[LmPlan, Weights]:
        plan = plan_of(base, sum(one.characters for one in joined.values()))
        return plan, lm_party.begin(plan, base)

    coordinator = server.Coordinator(
        ("127.0.0.1", 0),
        keys.context(
            True, tmp_path / "coordinator.pem", tmp_path / "coordinator.key", list(allowed.values())
        ),
        keys.prints(allowed),
        Federation(Rules(NAMES, base=base.fingerprint), tmp_path / "common", begin),
    )
    address = f"https://127.0.0.1:{coordinator.server_address[1]}"

    def by_command() -> None:
        made = CliRunner().invoke(
            app,
            ["federated", "lm", "site", address, "--model", str(source), "--data",
             str(source / "c.jsonl"), "--key", str(tmp_path / "sites" / "c.key"), "--coordinator",
             str(tmp_path / "coordinator.pem"), "--out", str(tmp_path / "c"), "--pause", "0.05",
             "--threads", "1", "--numbers", "f32"],
        )  # fmt: skip
        ends["c"] = made.output

    def part(name: str) -> None:
        key = tmp_path / "sites" / f"{name}.key"
        context = keys.context(False, key.with_suffix(".pem"), key, [tmp_path / "coordinator.pem"])
        line = site.Line(address, context, 20.0)
        given = party(source, name)
        ends[name] = site.take_part(line, given, tmp_path / name, lambda *_: None, pause=0.05)

    ends: dict[str, object] = {}
    threads = [threading.Thread(target=part, args=(name,)) for name in "ab"]
    threads.append(threading.Thread(target=by_command))
    for one in threads:
        one.start()
    server.serve(coordinator, lambda *_: None)
    for one in threads:
        one.join(60)
    federation = coordinator.federation
    assert "convert" in str(ends["c"]), ends["c"]
    plan = federation.plan
    assert isinstance(plan, LmPlan)
    first = lm_party.begin(plan, base)
    for name in NAMES:
        assert (tmp_path / name / "adapter_model.safetensors").is_file()
        learner = party(source, name).learner(plan)
        before, after = (plan.best([learner.score(w) or []])[1] for w in (first, federation.best))
        assert after > 3 * before


def test_a_site_learns_the_adapter_alone_and_sends_no_text(source: Path) -> None:
    given = party(source, "a")
    plan = plan_of(given.base, given.said().characters)
    frozen = given.base.model.get_input_embeddings().weight.clone()
    weights = lm_party.begin(plan, given.base)
    assert all("lora_" in name for name in weights)
    learner = given.learner(plan)
    learnt = learner.learn(weights, 1)
    assert learnt.change.keys() == weights.keys()
    assert norm(learnt.change) > 0
    assert torch.equal(frozen, given.base.model.get_input_embeddings().weight)
    told = json.dumps([learner.score(weights), given.said().__class__.__name__])
    assert not any(drug in told for drug in DRUGS.values())


def test_the_plan_goes_over_the_line_as_it_is(source: Path) -> None:
    plan = plan_of(open_base(source, "f32"), 100)
    assert plans.read(json.loads(json.dumps(plan.as_json()))) == plan


def test_likelihoods_are_added_up_by_tokens_and_nonsense_is_refused(source: Path) -> None:
    plan = plan_of(open_base(source, "f32"), 100)
    halves = [plan.checked([[10, 10 * np.log(2)]]), plan.checked([[30, 30 * np.log(4)]])]
    assert plan.best(halves)[1] == pytest.approx(1 / (2**0.25 * 4**0.75))
    for counts in (
        [],
        [[0, 1]],
        [[5, -1]],
        [[5, float("nan")]],
        [["患者", 1]],
        [[1, 1], [1, 1]],
        3,
    ):
        with pytest.raises(MessageInvalid, match="cannot be"):
            plan.checked(counts)


def test_a_site_with_another_base_stays_outside(source: Path, tmp_path: Path) -> None:
    run = Federation(Rules(NAMES, base="f" * 64), tmp_path, lambda _: (None, {}))  # type: ignore[arg-type,return-value]
    with pytest.raises(SiteRefused, match="another base"):
        run.join("a", party(source, "a").said())
    with pytest.raises(SiteRefused, match="another base"):
        run.join("b", Joined(4, 10, ("drug",)))
