"""An INT8 encoder computes in what is quicker here; what was measured is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import tiny_bert
from openvino import opset13 as ops

from serving.encoder import products
from serving.encoder.convert import convert
from serving.encoder.products import Products
from serving.encoder.runtime import BertRuntime
from serving.hardware import choice, cpu
from serving.models.manifest import MODEL_FILE, WEIGHTS_FILE

WORDS = tiny_bert.vocabulary()
ROWS = [WORDS.tokens(text).ids for text in ("患者胸痛3天。", "无发热")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with coarse quantisers before its products."""
    source = tiny_bert.write(tmp_path_factory.mktemp("bert") / "tiny")
    plain = convert(source, source.parent / "plain")
    target = source.parent / "int8"
    shutil.copytree(plain, target)
    model = openvino.Core().read_model(plain / MODEL_FILE)
    for op in model.get_ordered_ops():
        if op.get_type_name() == "MatMul":
            op.input(0).replace_source_output(coarse(op.input_value(0)).output(0))
    openvino.save_model(model, target / MODEL_FILE, compress_to_fp16=False)
    return target


def coarse(value: Any, shift: float = 0.0) -> Any:
    low, high = np.float32(-2), np.float32(2)
    return ops.fake_quantize(value, low, high, low + np.float32(shift), high, 9)


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_known", {})


def measuring(monkeypatch: pytest.MonkeyPatch, **seconds: float) -> list[str]:
    """Measurements that come out so; a name for each that was made."""
    made: list[str] = []

    def measure(ways: Sequence[Products], run: Any) -> dict[str, float]:
        made.append("measured")
        for way in ways:
            run(way)()
        return seconds

    monkeypatch.setattr(choice, "measure", measure)
    return made


def scores(runtime: BertRuntime) -> np.ndarray:
    return dict(runtime.spans(ROWS))[0].dense()


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({"int8": 1.0, "float": 2.0}, "int8"),
        ({"int8": 2.0, "float": 1.0}, "float"),
        ({"int8": 1.05, "float": 1.0}, "int8"),
        ({"int8": 1.0, "float": float("inf")}, "int8"),
    ],
)
def test_floats_are_taken_where_they_are_clearly_quicker(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seconds: dict[str, float],
    chosen: Products,
) -> None:
    made = measuring(monkeypatch, **seconds)
    kept = tmp_path / "home" / "measured.json"
    assert BertRuntime(folder, kept=kept).products == chosen
    choice._known.clear()
    assert BertRuntime(folder, kept=kept).products == chosen
    assert len(made) == 1
    assert list(json.loads(kept.read_text()).values()) == [chosen]


def test_what_was_kept_is_for_one_model_and_one_processor(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = measuring(monkeypatch, int8=1.0, float=2.0)
    kept = tmp_path / "measured.json"
    kept.write_text("[not a table")
    BertRuntime(folder, kept=kept)
    monkeypatch.setattr(cpu, "flags", lambda: frozenset({"avx2"}))
    BertRuntime(folder, kept=kept)
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    with (other / WEIGHTS_FILE).open("ab") as file:
        file.write(b"\0")
    BertRuntime(other, kept=kept)
    assert len(made) == len(json.loads(kept.read_text())) == 3


@pytest.mark.parametrize(("flag", "chosen"), [("avx512_vnni", "int8"), ("avx2", "float")])
def test_without_a_place_to_keep_it_the_flags_decide(
    folder: Path, monkeypatch: pytest.MonkeyPatch, flag: str, chosen: Products
) -> None:
    made = measuring(monkeypatch)
    monkeypatch.setattr(cpu, "flags", lambda: frozenset({flag}))
    assert BertRuntime(folder).products == chosen
    assert made == []


def test_floats_are_the_model_without_its_quantisers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = scores(BertRuntime(folder.parent / "plain", "f32"))
    monkeypatch.setattr(products, "likely", lambda: "float")
    finite = np.isfinite(plain)
    assert np.allclose(scores(BertRuntime(folder))[finite], plain[finite], atol=1e-4)
    # What is asked for by name is not chosen anew.
    stored = BertRuntime(folder, "f32")
    assert stored.products == "int8"
    assert not np.allclose(scores(stored)[finite], plain[finite], atol=1e-2)


def test_a_quantiser_that_does_more_than_round_stays() -> None:
    value = ops.parameter([1, 4], np.float32)
    shifted = openvino.Model([coarse(value, shift=0.5)], [value])
    assert products.has_eight_bits(shifted)
    assert products.in_floats(shifted) is None


def test_a_choice_that_does_not_run_here_is_not_taken(tmp_path: Path) -> None:
    def run(choice: Products) -> Any:
        if choice == "float":
            raise RuntimeError("no primitive")
        return lambda: None

    assert products.quicker("digest", run, tmp_path / "kept.json") == "int8"
    (tmp_path / "file").write_text("")
    assert products.quicker("other", run, tmp_path / "file" / "kept.json") == "int8"
