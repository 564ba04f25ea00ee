from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from serving.engine import EngineUnavailable
from serving.hardware import cpu
from serving.hardware.compute import properties

AMX = {"avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"}
BF16 = {"avx512f", "avx512_vnni", "avx512_bf16"}
OLD = {"avx2"}
INT4 = {"weights": "int4", "group": "128"}


@pytest.mark.parametrize(
    ("weights", "flags", "expected"),
    [
        (INT4, AMX, {"INFERENCE_PRECISION_HINT": "bf16"}),
        (INT4, BF16, {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 128}),
        (
            {"weights": "int4", "group": "32"},
            OLD,
            {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 32},
        ),
        (
            {"weights": "int4", "group": "channel"},
            OLD,
            {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 128},
        ),
        ({"weights": "bf16"}, BF16, {"INFERENCE_PRECISION_HINT": "bf16"}),
        ({"weights": "fp16"}, OLD, {"INFERENCE_PRECISION_HINT": "f32"}),
        ({}, OLD, {"INFERENCE_PRECISION_HINT": "f32"}),
    ],
)
def test_auto_takes_what_the_processor_and_the_weights_allow(
    weights: dict[str, str], flags: set[str], expected: dict[str, Any]
) -> None:
    assert properties("auto", "auto", weights, flags) == expected


def test_bf16_without_the_instructions_is_refused_with_a_way_out() -> None:
    assert properties("bf16", "auto", INT4, BF16) == {"INFERENCE_PRECISION_HINT": "bf16"}
    with pytest.raises(EngineUnavailable, match="neither; use precision auto"):
        properties("bf16", "auto", INT4, OLD)


def test_weights_must_be_what_was_asked_for() -> None:
    assert properties("int4", "auto", INT4, OLD)["DYNAMIC_QUANTIZATION_GROUP_SIZE"] == 128
    with pytest.raises(EngineUnavailable, match="--weights int8"):
        properties("int8", "auto", INT4, BF16)


def test_the_cache_has_its_own_numbers() -> None:
    assert properties("f32", "bf16", {}, OLD)["KV_CACHE_PRECISION"] == "bf16"
    assert "KV_CACHE_PRECISION" not in properties("f32", "auto", {}, OLD)


def test_flags_are_those_of_the_first_processor(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nflags\t\t: fpu avx2 amx_bf16\nprocessor : 1\nflags : fpu\n")
    assert cpu.flags(info) == {"fpu", "avx2", "amx_bf16"}
    assert cpu.flags(tmp_path / "none") == frozenset()
