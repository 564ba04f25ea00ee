"""Tuning proper, on a tiny model of random weights; needs the extra ``train``."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")

sys.path.insert(0, str(Path(__file__).parents[3] / "serving" / "ir"))

from complete_checkpoint import write_complete  # noqa: E402
from converted import EXACT, Running  # noqa: E402
from gguf_files import write_gguf  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from assistant.cli import app  # noqa: E402
from assistant.training.lm import adapter, losses  # noqa: E402
from assistant.training.lm.base_model import Base, open_base  # noqa: E402
from assistant.training.lm.lines import Row  # noqa: E402
from assistant.training.lm.run import Run, coded, train  # noqa: E402
from assistant.training.lm.settings import LmSettings  # noqa: E402
from assistant.training.lm.tokens import Coder  # noqa: E402
from assistant.training.optimisation import TrainingInvalid  # noqa: E402
from assistant.training.state import FILE_NAME, StateInvalid  # noqa: E402
from serving.ir.convert import convert  # noqa: E402
from serving.ir.formats import Precision  # noqa: E402
from serving.models import manifest  # noqa: E402

SETTINGS = LmSettings(
    tokens=256, length=128, rank=4, rate=1e-2, numbers="f32", save_every=2, epochs=2
)
DRUGS = ("阿司匹林", "青霉素", "胰岛素", "华法林")


def said(number: int) -> tuple[str, str]:
    drug = DRUGS[number % len(DRUGS)]
    return f"第{number}问：能否服用{drug}？", f"{drug}须遵医嘱。"


def rows(count: int) -> list[Row]:
    return [
        Row(
            str(n),
            [{"role": "user", "content": said(n)[0]}, {"role": "assistant", "content": said(n)[1]}],
        )
        for n in range(count)
    ]


def preferences(count: int) -> list[Row]:
    return [
        Row(str(n), [{"role": "user", "content": said(n)[0]}], chosen=said(n)[1], rejected="随意。")
        for n in range(count)
    ]


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
    return folder


def tune(source: Path, folder: Path, settings: LmSettings, given: list[Row], **more: Any) -> Any:
    base = open_base(source, settings.numbers)
    coder = Coder(base.tokenizer, settings.length)
    made = coded(given, coder, settings)
    report = more.pop("report", lambda *_: None)
    return train(
        base, made[:-2], made[-2:], coder.pad, folder, settings, report, name=source, **more
    )


def test_the_loss_falls_and_greedy_ids_are_those_of_the_merged_model(
    source: Path, tmp_path: Path
) -> None:
    made = tune(source, tmp_path / "tuned", SETTINGS, rows(24))
    assert made.after < 0.8 * made.before
    assert math.isfinite(made.after)
    assert not (tmp_path / "tuned" / FILE_NAME).exists()
    config = json.loads((tmp_path / "tuned" / "adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] == source.name
    convert(source, tmp_path / "model", Precision("fp32"), adapter=tmp_path / "tuned")
    base = transformers.AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    tuned = peft.PeftModel.from_pretrained(base, tmp_path / "tuned").eval()
    ids = list(range(7, 39))
    with torch.no_grad():
        plain = base.get_output_embeddings().weight.dtype
        answer = tuned.generate(
            torch.tensor([ids]), max_new_tokens=16, min_new_tokens=16, do_sample=False
        )[0, len(ids) :].tolist()
    assert plain == torch.float32
    running = Running(tmp_path / "model" / manifest.MODEL_FILE, type("Facts", (), {})(), EXACT)
    assert running.greedy(ids, 16) == answer


class Killed(Exception):
    """Stands for a kill: nothing of the run is left but its files."""


def stop_at(step: int) -> Any:
    def report(done: int, *_: Any) -> None:
        if done == step:
            raise Killed

    return report


@pytest.mark.parametrize("method", ["sft", "dpo", "kto", "pretrain"])
def test_a_run_gone_on_with_is_the_unbroken_one(source: Path, tmp_path: Path, method: Any) -> None:
    settings = replace(SETTINGS, method=method, tokens=128, length=64)
    given = {
        "sft": rows(12),
        "dpo": preferences(8),
        "kto": [replace(r, completion=r.chosen if n % 2 else r.rejected, wanted=bool(n % 2))
                for n, r in enumerate(preferences(12))],
        "pretrain": [Row(str(n), text="".join(said(n)) * 3) for n in range(12)],
    }[method]  # fmt: skip
    whole = tune(source, tmp_path / "whole", settings, given)
    assert whole.steps > 4
    for step in (1, 3):
        with pytest.raises(Killed):
            tune(source, tmp_path / "broken", settings, given, report=stop_at(step))
    broken = tune(source, tmp_path / "broken", settings, given)
    assert broken.losses == whole.losses
    assert (broken.before, broken.after) == (whole.before, whole.after)
    one, other = (
        (tmp_path / name / adapter.WEIGHTS_FILE).read_bytes() for name in ("whole", "broken")
    )
    assert one == other


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_state(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Run.loss
    calls = iter(range(100))

    def broken(self: Run, batch: Any) -> Any:
        made = own(self, batch)
        return made * float("nan") if self.model.training and next(calls) == 3 else made

    monkeypatch.setattr(Run, "loss", broken)
    with pytest.raises(TrainingInvalid, match="第 4 步的损失不是数字"):
        tune(source, tmp_path / "tuned", SETTINGS, rows(24))
    monkeypatch.undo()
    assert (tmp_path / "tuned" / FILE_NAME).is_file()
    assert not (tmp_path / "tuned" / adapter.WEIGHTS_FILE).exists()
    made = tune(source, tmp_path / "tuned", SETTINGS, rows(24))
    assert np.isfinite(made.losses).all()


def test_a_full_disk_is_survived_and_told(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    told = []
    monkeypatch.setattr("assistant.training.state.write_atomically", full)
    monkeypatch.setattr(adapter, "write_atomically", full)
    with pytest.raises(TrainingInvalid, match="磁盘可能已满"):
        tune(source, tmp_path / "t", SETTINGS, rows(16), report=lambda *a: told.append(a[2]))
    assert "not saved" in told[2]
    monkeypatch.undo()
    assert math.isfinite(tune(source, tmp_path / "t", SETTINGS, rows(16)).after)


def test_a_state_of_other_settings_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        tune(source, tmp_path / "t", SETTINGS, rows(12), report=stop_at(2))
    with pytest.raises(StateInvalid, match="other settings"):
        tune(source, tmp_path / "t", replace(SETTINGS, rank=2), rows(12))


def naive(model: Any, ids: list[int], start: int) -> Any:
    """The log-likelihood of ``ids[start:]``, from the logits of the whole model."""
    logits = model(torch.tensor([ids])).logits[0].double()
    told = torch.log_softmax(logits, -1)
    return sum(told[place - 1, ids[place]] for place in range(start, len(ids)))


def fresh(source: Path, settings: LmSettings, given: list[Row]) -> tuple[Base, Run, list[Any]]:
    base = open_base(source, "f32")
    coder = Coder(base.tokenizer, settings.length)
    made = coded(given, coder, settings)
    run = Run(base, made, [], coder.pad, settings)
    torch.manual_seed(3)
    with torch.no_grad():
        for name, value in adapter.trained(run.model).items():
            if "lora_B" in name:
                value.normal_(0, 0.3)
    run.model.eval()
    return base, run, made


def test_the_losses_are_those_of_their_papers(source: Path) -> None:
    for method in ("sft", "dpo", "kto"):
        settings = replace(SETTINGS, method=method, tokens=4096)
        given = rows(3) if method == "sft" else preferences(3)
        if method == "kto":
            given = [replace(r, completion=r.chosen, wanted=n != 1) for n, r in enumerate(given)]
        _, run, made = fresh(source, settings, given)
        loss = float(run.loss(run.batches.of(range(3))).detach())
        with torch.no_grad():
            policy, counts = _sums(run.model, made)
            with run.model.disable_adapter():
                base, _ = _sums(run.model, made)
        beta = settings.beta
        if method == "sft":
            expected = -sum(row[0] for row in policy) / sum(row[0] for row in counts)
        elif method == "dpo":
            gains = [(p[0] - b[0]) - (p[1] - b[1]) for p, b in zip(policy, base, strict=True)]
            expected = sum(-math.log(1 / (1 + math.exp(-beta * g))) for g in gains) / 3
        else:
            strange = [p[1] - b[1] for p, b in zip(policy, base, strict=True)]
            middle = max(0.0, sum(strange) / 3)
            signs = [1 if row.wanted else -1 for row in given]
            values = [
                1 / (1 + math.exp(-beta * sign * (p[0] - b[0] - middle)))
                for sign, p, b in zip(signs, policy, base, strict=True)
            ]
            expected = sum(1 - value for value in values) / 3
        assert loss == pytest.approx(expected, rel=2e-5), method


def _sums(model: Any, made: list[Any]) -> tuple[list[list[float]], list[list[int]]]:
    sums, counts = [], []
    for row in made:
        sums.append(
            [float(naive(model, part.ids.tolist(), int(part.learned.argmax()))) for part in row]
        )
        counts.append([int(part.learned.sum()) for part in row])
    return sums, counts


def test_only_what_the_assistant_says_is_learned(source: Path) -> None:
    base = open_base(source, "f32")
    coder = Coder(base.tokenizer, 512)
    talk = [
        {"role": "user", "content": "头痛。"},
        {"role": "assistant", "content": "多久了？"},
        {"role": "user", "content": "三天。"},
        {"role": "assistant", "content": "请就诊。"},
    ]
    (made,) = coder.coded(Row("1", talk), "sft")
    learned = base.tokenizer.decode(made.ids[made.learned])
    assert learned.replace("\n", "") == "多久了？<|im_end|>请就诊。<|im_end|>"
    # A preference is about the last answer alone.
    row = Row("2", talk[:3], chosen="请就诊。", rejected="不必。")
    better, _ = coder.coded(row, "dpo")
    assert base.tokenizer.decode(better.ids[better.learned]).strip() == "请就诊。<|im_end|>"


def test_preferences_move_the_model_to_what_was_chosen(source: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, method="dpo")
    made = tune(source, tmp_path / "t", settings, preferences(16))
    assert made.before == pytest.approx(math.log(2), rel=1e-4)
    assert made.after < 0.6


def test_the_command_leaves_an_adapter_with_its_card(source: Path, tmp_path: Path) -> None:
    file = tmp_path / "qa.jsonl"
    lines = [{"input": said(n)[0], "target": said(n)[1]} for n in range(12)]
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    command = ["train", "lm", "--model", str(source), "--data", str(file), "--threads", "1",
               "--tokens", "256", "--numbers", "f32"]  # fmt: skip
    ran = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "tuned")])
    assert ran.exit_code == 0, ran.output
    told = json.loads((tmp_path / "tuned" / "training.json").read_text("utf-8"))
    assert told["data"]["lines"] == 11
    assert set(told["held_out_loss"]) == {"before", "after"}
    card = (tmp_path / "tuned" / "README.md").read_text("utf-8")
    assert "仅供演示" in card
    assert str(source.parent) not in card
    refused = CliRunner().invoke(
        app, [*command[:3], str(tmp_path), *command[4:], "--out", str(tmp_path / "other")]
    )
    assert isinstance(refused.exception, TrainingInvalid)
    assert "没有 config.json" in str(refused.exception)


def test_a_base_from_gguf_is_the_one_from_its_folder(source: Path, tmp_path: Path) -> None:
    told = json.loads((source / "tokenizer.json").read_text("utf-8"))
    own = {token["content"]: token["id"] for token in told["added_tokens"]}
    vocabulary = {**told["model"]["vocab"], **own}
    size = json.loads((source / "config.json").read_text())["vocab_size"]
    names = {place: token for token, place in vocabulary.items()}
    tokens = [names.get(place, f"<|unused{place}|>") for place in range(size)]
    merges = [m if isinstance(m, str) else " ".join(m) for m in told["model"]["merges"]]
    more = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.token_type": [3 if token in own else 1 for token in tokens],
        "tokenizer.ggml.eos_token_id": own["<|im_end|>"],
        "tokenizer.ggml.padding_token_id": own["<|endoftext|>"],
    }
    file = write_gguf(source, tmp_path / "tiny.gguf", more=more)
    of_file, of_folder = open_base(file, "f32"), open_base(source, "f32")
    assert of_file.fingerprint == of_folder.fingerprint
    text = "<|im_start|>user\n患者胸痛3天，BP 120/80mmHg。<|im_end|>\n"
    ids = of_folder.tokenizer(text)["input_ids"]
    assert of_file.tokenizer(text)["input_ids"] == ids
    with torch.no_grad():
        one, other = (base.model(torch.tensor([ids])).logits for base in (of_file, of_folder))
    torch.testing.assert_close(one, other)


def test_logits_are_summed_by_row() -> None:
    learned = torch.tensor([[0, 1, 1, 0], [0, 0, 0, 1]]).bool()
    assert losses.by_row(torch.tensor([1.0, 2.0, 4.0]), learned).tolist() == [3.0, 4.0]
