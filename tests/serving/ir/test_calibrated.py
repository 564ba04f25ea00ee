from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest
from complete_checkpoint import write_complete

from serving.ir.calibrated import words
from serving.ir.convert import ConversionError, convert
from serving.ir.formats import Precision

TEXTS = ["患者发热三天，咳嗽，无胸痛。", "血压一百二十，心率齐。", "出院后继续口服药物，定期复查。"]


def test_without_nncf_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "nncf":
            raise ImportError(name)
        return found(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConversionError, match=r"bedside\[calibration\]"):
        convert(write_complete(tmp_path / "source"), tmp_path / "made", calibration=TEXTS)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_manifest_holds_a_hash_and_no_text() -> None:
    said = words(TEXTS)
    assert all(text not in value for text in TEXTS for value in said.values())
    assert said["calibration_sha256"] != words(TEXTS[:1])["calibration_sha256"]


@pytest.mark.train
def test_a_calibrated_model_is_int4_and_says_so(tmp_path: Path) -> None:
    pytest.importorskip("nncf", reason="the extra `calibration` is not installed")
    made = convert(
        write_complete(tmp_path / "source"),
        tmp_path / "made",
        Precision(group=32),
        calibration=TEXTS,
    )
    assert made.settings["calibration"] == "awq, scale estimation"
    graph = (tmp_path / "made" / "openvino_model.xml").read_text()
    assert 'element_type="u4"' in graph
    with pytest.raises(ConversionError, match="int4"):
        convert(tmp_path / "source", tmp_path / "other", Precision("int8"), calibration=TEXTS)
