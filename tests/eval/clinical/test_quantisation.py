"""The same weights at several precisions side by side."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from promptcblue_sets import gold, noisy

from eval.clinical.quantisation import Plan, evaluate, held_out, named
from eval.errors import EvalError, InputError
from eval.promptcblue.tracks import CCKS2023
from eval.report.clinical import result_html
from eval.run.model import OpenModel
from eval.run.run import RunSettings
from serving.engines.echo import EchoEngine
from serving.ir import trial
from serving.ir.trial_worker import Reading
from serving.models.manifest import MODEL_FILE

SAMPLES = gold(CCKS2023)
RIGHT = {sample.input: sample.target for sample in SAMPLES}
WORSE = {s.input: noisy(CCKS2023)[1]["answers"][s.sample_id] for s in SAMPLES}
READING = Reading(4, 8.0, [1, 2, 3, 4], 100.0, 10.0, 300 << 20)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Three model folders; the measuring process is stood in for."""
    readings = {
        "fp16": READING,
        "int8": READING,
        "int4": replace(READING, nats=8.4, likeliest=[1, 2, 3, 9], resident=100 << 20),
    }
    for name in readings:
        weights = (tmp_path / "models" / name / MODEL_FILE).with_suffix(".bin")
        weights.parent.mkdir(parents=True)
        weights.write_bytes(b"\0" * (1 << 20))
    monkeypatch.setattr(trial, "_measured", lambda folder, texts, most: readings[folder.name])
    return named([tmp_path / "models" / name for name in readings])


def opened(folder: Path) -> OpenModel:
    answers = WORSE if folder.name == "int4" else RIGHT
    return OpenModel(EchoEngine(answers.__getitem__, name=folder.name), {"folder": folder.name})


def test_they_stand_side_by_side(folders: dict[str, Path], tmp_path: Path) -> None:
    plan = Plan(RunSettings(CCKS2023, SAMPLES, command="bedside eval quantisation"), ["x"], 1.0)
    plan = replace(plan, resamples=200)
    result, sides, unfinished = evaluate(folders, plan, tmp_path / "out", opened, quiet=True)
    assert not unfinished
    assert result.scores["fp16.overall"] == result.scores["int8.overall"] == pytest.approx(100)
    assert result.scores["int4.overall"] < 99
    assert [result.scores[f"{name}.agreement"] for name in folders] == [100, 100, 75]
    figures = {(f.group.split()[0], f.name): f.value for f in result.figures}
    assert figures["困惑度", "fp16"] == pytest.approx(math.exp(2), abs=1e-3)
    assert figures["困惑度", "int4"] == pytest.approx(math.exp(2.1), abs=1e-3)
    assert figures["占用内存", "int4"] == 100
    assert figures["权重体积", "int8"] == 1
    assert result.headline.name.endswith("int4 − fp16")
    expected = result.scores["int4.overall"] - result.scores["fp16.overall"]
    assert result.headline.value == pytest.approx(expected, abs=1e-3)
    assert sides[0].against is None
    # A margin cannot be shown on so few samples, not even of equal answers.
    assert [side.against.not_worse for side in sides[1:] if side.against] == [False, False]
    assert any("Too few" in note for note in result.notes)
    html = result_html(result)
    assert "model int4" in html
    again, _, _ = evaluate(folders, plan, tmp_path / "out", opened, quiet=True)
    assert again.scores == result.scores


def test_equal_answers_to_enough_samples_are_not_worse(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    samples = [
        replace(sample, sample_id=f"{sample.sample_id}-{n}")
        for n in range(20)
        for sample in SAMPLES
    ][:200]
    del folders["int4"]
    plan = replace(Plan(RunSettings(CCKS2023, samples), ["x"], 1.0), resamples=200)
    _, sides, _ = evaluate(folders, plan, tmp_path / "out", opened, quiet=True)
    assert sides[1].against is not None
    assert sides[1].against.not_worse


def test_other_tokens_are_another_model(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter([4, 5, 4])
    monkeypatch.setattr(
        trial, "_measured", lambda folder, texts, most: replace(READING, scored=next(counts))
    )
    plan = Plan(RunSettings(CCKS2023, SAMPLES[:2]), ["x"])
    with pytest.raises(EvalError, match="not the same model"):
        evaluate(folders, plan, tmp_path / "out", opened, quiet=True)


def test_a_model_that_cannot_be_measured_says_why(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(folder: Path, texts: list[str], most: int) -> Reading:
        if folder.name == "int8":
            raise trial._NotMeasured("out of memory?")
        return READING

    monkeypatch.setattr(trial, "_measured", measured)
    plan = replace(Plan(RunSettings(CCKS2023, SAMPLES[:4]), ["x"]), resamples=100)
    result, _, _ = evaluate(folders, plan, tmp_path / "out", opened, quiet=True)
    assert any("int8" in note and "out of memory?" in note for note in result.notes)
    assert "int8.agreement" not in result.scores
    assert "int8.overall" in result.scores


def test_folders_have_names(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "model", tmp_path / "b" / "model"]
    assert list(named(paths)) == ["a-model", "b-model"]
    assert list(named([tmp_path / "a", tmp_path / "b"])) == ["a", "b"]
    with pytest.raises(EvalError, match="twice"):
        named([tmp_path / "a", tmp_path / "b" / ".." / "a"])


def test_the_held_out_text(tmp_path: Path) -> None:
    plain = tmp_path / "t.txt"
    plain.write_text("胸痛两小时。", "utf-8")
    assert held_out(plain) == ["胸痛两小时。"]
    rows = tmp_path / "t.jsonl"
    rows.write_text('{"text": "甲"}\n{"text": "乙"}\n', "utf-8")
    assert held_out(rows) == ["甲", "乙"]
    for content, said in ((" \n", "no text"), ("胸痛".encode("gbk"), "not UTF-8")):
        plain.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(InputError, match=said):
            held_out(plain)
    with pytest.raises(InputError, match="no such file"):
        held_out(tmp_path / "missing.txt")
