"""A kernel library is only ever chosen where every instruction of it exists."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.engines.bigdl.kernel import kernels, library
from serving.hardware import cpu

SANDY_BRIDGE = {"sse4_2", "avx"}
HASWELL = SANDY_BRIDGE | {"avx2", "fma", "f16c", "bmi2"}
SKYLAKE = HASWELL | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
ICE_LAKE = SKYLAKE | {"avx512_vnni", "avx512_vbmi"}
ALDER_LAKE = HASWELL | {"avx_vnni"}
ZEN4 = ICE_LAKE | {"avx512_bf16"}
SAPPHIRE_RAPIDS = ICE_LAKE | {"avx_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16"}


@pytest.mark.parametrize(
    ("flags", "best"),
    [
        (SANDY_BRIDGE, "avx"),
        (HASWELL, "avx2"),
        (SKYLAKE, "avx2"),
        (ICE_LAKE, "avx512"),
        (ALDER_LAKE, "avxvnni"),
        (ZEN4, "avx512"),
        (SAPPHIRE_RAPIDS, "amx"),
        (SAPPHIRE_RAPIDS - {"amx_tile", "amx_int8", "amx_bf16"}, "avx512"),
        (SAPPHIRE_RAPIDS - {"amx_int8"}, "avx512"),
    ],
)
def test_the_best_kernel_that_the_processor_runs(flags: set[str], best: str) -> None:
    assert kernels(flags)[0] == best


@pytest.mark.parametrize("flags", [SANDY_BRIDGE, HASWELL, SKYLAKE, ICE_LAKE, ZEN4])
def test_what_the_processor_lacks_is_never_among_them(flags: set[str]) -> None:
    assert not {"avxvnni", "amx"} & set(kernels(flags))
    assert kernels(flags)[-1] == "avx"


def test_no_avx_no_kernel() -> None:
    assert kernels({"sse4_2"}) == []


def test_flags_are_those_that_every_processor_has(tmp_path: Path) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("processor: 0\nflags\t\t: avx avx2\n\nprocessor: 1\nflags\t\t: avx\n")
    assert cpu.shared_flags(told) == {"avx"}
    assert cpu.shared_flags(tmp_path / "none") == frozenset()


def test_the_file_name_is_that_of_the_wheel() -> None:
    assert library("avx512") == "libllama_avx512.so"
