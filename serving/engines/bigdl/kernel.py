"""Which of BigDL-LLM's kernel libraries a processor can run, the fastest first.

The wheel ships one library an instruction set.  Left alone, it looks at the processor's maker and
takes the plain AVX one wherever that is not Intel; told by ``LLAMA_CPP_LIB``, it takes what it is
told, and a library that the processor cannot run ends the process with an illegal instruction.
"""

from __future__ import annotations

from collections.abc import Set

_AVX2 = frozenset({"avx", "avx2", "fma", "f16c"})
_AVX512 = _AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512_vnni"}

# What each library's code uses, by its disassembly (the wheels of bigdl-llm 2.4.0 and ipex-llm
# 2.2.0), in the names of Linux's /proc/cpuinfo.  The AVX-512 library has VNNI in it as well.
_NEEDS: dict[str, frozenset[str]] = {
    "amx": _AVX512 | {"amx_tile", "amx_int8"},
    "avx512": _AVX512,
    "avxvnni": _AVX2 | {"avx_vnni"},
    "avx2": _AVX2,
    "avx": frozenset({"avx"}),
}


def kernels(flags: Set[str]) -> list[str]:
    """Names of the libraries that a processor with these flags can run, the fastest first.

    ``flags`` as /proc/cpuinfo names them.  Empty: the processor has not even AVX.
    """
    return [name for name, needed in _NEEDS.items() if needed <= flags]


def library(name: str) -> str:
    """The file name of a kernel library."""
    return f"libllama_{name}.so"
