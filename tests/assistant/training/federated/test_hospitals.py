"""Three hospitals as processes over TLS, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("cryptography")

from assistant.training import dataset  # noqa: E402
from assistant.training.dataset import Example  # noqa: E402
from assistant.training.federated import keys, ner_party, scored, server  # noqa: E402
from assistant.training.federated.members import Joined, Rules, labels  # noqa: E402
from assistant.training.federated.message import Weights, unpack  # noqa: E402
from assistant.training.federated.ner_plan import NerPlan  # noqa: E402
from assistant.training.federated.plan import Learning  # noqa: E402
from assistant.training.federated.rounds import Federation  # noqa: E402
from assistant.training.federated.site import (  # noqa: E402
    CoordinatorUnavailable,
    Line,
    take_part,
)
from serving.encoder.checkpoint import BertCheckpoint  # noqa: E402
from serving.encoder.shape import Shape, SpanShape  # noqa: E402
from serving.encoder.vocabulary import of_characters  # noqa: E402

pytestmark = pytest.mark.train
ROOT = Path(__file__).parents[4]
DRUGS, SIGNS = ("阿司匹林", "青霉素", "胰岛素"), ("胸痛", "发热", "咳嗽", "头晕")
NAMES = ("a", "b", "c")
WORDS = of_characters(["患者，予。" + "".join(DRUGS + SIGNS)], least=1)


def lines(count: int, seed: int, signs: tuple[str, ...], drugs: tuple[str, ...]) -> str:
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        sign, drug = str(random.choice(signs)), str(random.choice(drugs))
        end = 2 + len(sign)
        spans = [
            {"start": 2, "end": end, "type": "sign"},
            {"start": end + 2, "end": end + 2 + len(drug), "type": "drug"},
        ]
        made.append(json.dumps({"text": f"患者{sign}，予{drug}。", "entities": spans}))
    return "\n".join(made)


# Each hospital knows words that the others do not.
DATA = {
    "a": lines(96, 1, SIGNS[:2], DRUGS[:1]),
    "b": lines(48, 2, SIGNS[2:], DRUGS[1:2]),
    "c": lines(32, 3, SIGNS[1:3], DRUGS[2:]),
}


def begin(joined: dict[str, Joined]) -> tuple[NerPlan, Weights]:
    names, nested = labels(list(joined.values()))
    learning = Learning(rounds=10, tokens=768, size=62, rate=8e-3, head_rate=2e-2)
    shape = Shape(len(WORDS), 32, 1, 2, 64, 64)
    total = sum(one.characters for one in joined.values())
    plan = NerPlan(
        learning, shape, SpanShape(names, nested=nested), WORDS.pieces, WORDS.settings(), total
    )
    return plan, ner_party.begin(plan)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers")
    keys.make(folder, "coordinator", ["127.0.0.1"])
    for name in NAMES:
        keys.make(folder / "sites", name, [])
        (folder / f"{name}.jsonl").write_text(DATA[name], encoding="utf-8")
    keys.make(folder / "strange", "mallory", [])
    return folder


@pytest.fixture
def coordinator(papers: Path, tmp_path: Path) -> Iterator[server.Coordinator]:
    allowed = keys.allowed(papers / "sites")
    own, key = papers / "coordinator.pem", papers / "coordinator.key"
    rules = Rules(NAMES, patience=4.0)
    made = server.Coordinator(
        ("127.0.0.1", 0),
        keys.context(True, own, key, list(allowed.values())),
        keys.prints(allowed),
        Federation(rules, tmp_path / "common", begin),
    )
    yield made
    made.server_close()


def address(coordinator: server.Coordinator) -> str:
    return f"https://127.0.0.1:{coordinator.server_address[1]}"


def line(coordinator: server.Coordinator, papers: Path, key: Path, patience: float = 20.0) -> Line:
    context = keys.context(False, key.with_suffix(".pem"), key, [papers / "coordinator.pem"])
    return Line(address(coordinator), context, patience)


def hospital(coordinator: server.Coordinator, papers: Path, name: str, out: Path) -> object:
    command = [
        sys.executable, "-m", "assistant.cli", "federated", "site", address(coordinator),
        "--key", str(papers / "sites" / f"{name}.key"),
        "--coordinator", str(papers / "coordinator.pem"), "--train", str(papers / f"{name}.jsonl"),
        "--out", str(out), "--pause", "0.05", "--threads", "1",
    ]  # fmt: skip
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def test_three_hospitals_of_which_one_is_killed(
    coordinator: server.Coordinator,
    papers: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    running = {
        name: hospital(coordinator, papers, name, tmp_path / name)
        for name in NAMES
    }  # fmt: skip
    killed = threading.Event()

    def watch(done: int, total: int, told: str) -> None:
        if done >= 4 and not killed.is_set():
            running["c"].kill()
            killed.set()

    server.serve(coordinator, watch)
    said = {name: one.communicate(timeout=30)[0] for name, one in running.items()}
    federation = coordinator.federation
    assert [running[name].returncode for name in NAMES] == [0, 0, -9], said
    assert any("c" in one.absent for one in federation.history)
    assert federation.result[0] > 0.9
    assert BertCheckpoint(tmp_path / "a").vocabulary.pieces == WORDS.pieces
    # Words that b alone has are found by the model that a has.
    plan = federation.plan
    assert plan is not None
    of_b = dataset.read(papers / "b.jsonl")
    _, f1 = scored.best([ner_party.LocalNer(plan, of_b, of_b).score(federation.best) or []])
    assert f1 > 0.9
    told = caplog.text + "".join(said.values())
    assert not any(word in told for word in (*DRUGS, *SIGNS))


def test_a_site_that_sends_a_hundred_times_its_change_does_no_harm(
    coordinator: server.Coordinator, papers: Path, tmp_path: Path
) -> None:
    ends = {}

    def part(name: str) -> None:
        examples: list[Example] = dataset.read(papers / f"{name}.jsonl")
        factor = np.float32(100 if name == "c" else 1)
        ends[name] = take_part(
            line(coordinator, papers, papers / "sites" / f"{name}.key"),
            ner_party.NerParty(examples[8:], examples[:8]), tmp_path / name, lambda *_: None,
            pause=0.02,
            changed=lambda change: {key: value * factor for key, value in change.items()},
        )  # fmt: skip

    threads = [threading.Thread(target=part, args=(name,)) for name in NAMES]
    for one in threads:
        one.start()
    server.serve(coordinator, lambda *_: None)
    for one in threads:
        one.join(20)
    assert ends["c"].refused == 10
    assert ends["a"].refused == ends["b"].refused == 0
    assert coordinator.federation.result[0] > 0.9


def test_strangers_and_those_who_show_nothing_stay_outside(
    coordinator: server.Coordinator, papers: Path
) -> None:
    thread = threading.Thread(target=coordinator.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        strange = line(coordinator, papers, papers / "strange" / "mallory.key", 0.0)
        with pytest.raises(CoordinatorUnavailable, match="trust"):
            strange.ask("GET", "/v1/work")
        # Whoever trusts anybody still has no certificate to show.
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{address(coordinator)}/v1/work", verify=False, trust_env=False)
        known = line(coordinator, papers, papers / "sites" / "a.key", 0.0)
        assert known.ask("GET", "/v1/work").status_code == 409
        assert known.ask("POST", "/v1/join", content="{").status_code == 409
        assert known.ask("GET", "/v1/records").status_code == 404
        with pytest.raises(CoordinatorUnavailable, match="https"):
            Line("http://127.0.0.1:1", None)
    finally:
        coordinator.shutdown()


def test_what_is_sent_is_safetensors_and_no_text(papers: Path, tmp_path: Path) -> None:
    examples = dataset.read(papers / "a.jsonl")
    plan, weights = begin(
        {"a": Joined(len(examples), ner_party.characters(examples), ("drug", "sign"), False)}
    )
    party = ner_party.LocalNer(plan, examples, examples[:4])
    learnt = party.learn(weights, 1)
    assert learnt.change.keys() == weights.keys()
    assert all(value.dtype == np.float32 for value in learnt.change.values())
    from assistant.training.federated.message import pack

    back, facts = unpack(pack(learnt.change, {"counts": party.score(weights)}))
    assert facts.keys() == {"counts"}
    assert all(np.array_equal(back[name], learnt.change[name]) for name in back)


def test_fedprox_stays_nearer_to_the_common_weights(papers: Path) -> None:
    from dataclasses import replace

    from assistant.training.federated.message import norm

    examples = dataset.read(papers / "a.jsonl")
    plan, weights = begin(
        {"a": Joined(len(examples), ner_party.characters(examples), ("drug", "sign"), False)}
    )
    plan = replace(plan, learning=replace(plan.learning, epochs=4, warm=0.0))
    near = replace(plan, learning=replace(plan.learning, mu=10.0))
    lengths = [
        norm(ner_party.LocalNer(one, examples, []).learn(weights, 1).change) for one in (plan, near)
    ]
    assert lengths[1] < 0.9 * lengths[0]
