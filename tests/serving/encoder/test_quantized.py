from __future__ import annotations

import builtins
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tiny_bert

from serving.encoder.convert import convert
from serving.encoder.quantized import Scan, quantize
from serving.encoder.runtime import BertRuntime
from serving.ir.calibrated import CalibrationUnavailable
from serving.models import manifest

WORDS = tiny_bert.vocabulary()
ROWS = [
    WORDS.tokens(text).ids
    for text in (
        "患者胸痛3天。",
        "行冠脉造影示左前降支狭窄",
        "予阿司匹林100mg，无发热",
        "咳嗽，无痛",
    )
]


def test_without_nncf_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "nncf":
            raise ImportError(name)
        return found(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CalibrationUnavailable, match=r"bedside\[calibration\]"):
        quantize(tmp_path, tmp_path / "made", ROWS, lambda scan, documents: 1.0, len(ROWS))
    assert not (tmp_path / "made").exists()


@pytest.mark.train
def test_an_int8_model_keeps_the_measure(tmp_path: Path) -> None:
    pytest.importorskip("nncf", reason="the extra `calibration` is not installed")
    source = convert(tiny_bert.write(tmp_path / "tiny"), tmp_path / "plain")
    runtime = BertRuntime(source, "f32")
    gold = {index: spans(scores) for index, scores in runtime.spans(ROWS)}

    def measure(scan: Scan, documents: Sequence[int]) -> float:
        rows = [ROWS[index] for index in documents]
        both = right = 0
        for place, scores in scan(rows):
            found, wanted = spans(scores), gold[documents[place]]
            both += len(found) + len(wanted)
            right += 2 * len(found & wanted)
        return right / max(1, both)

    made = quantize(source, tmp_path / "int8", ROWS, measure, len(ROWS), max_drop=0.05)
    assert made.before == 1.0
    assert made.after > 0.9
    told = manifest.parse(made.folder / manifest.FILE_NAME)
    assert told.settings["weights"] == "int8"
    graph = (made.folder / manifest.MODEL_FILE).read_text(encoding="utf-8")
    assert "FakeQuantize" in graph
    assert 'element_type="i8"' in graph


def spans(scores: Any) -> set[tuple[int, int, int]]:
    return {(kind, first, last) for kind, first, last, _ in scores.found()}
