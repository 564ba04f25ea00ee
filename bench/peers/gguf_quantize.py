"""A GGUF file → the same in Q4_0, by llama.cpp's own quantiser (runs in its environment).

python -m bench.peers.gguf_quantize /tmp/model.gguf /tmp/model-q4_0.gguf
"""

from __future__ import annotations

import argparse
import ctypes
import os

import llama_cpp


def main() -> None:
    """Read the command line and quantise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--pure", action="store_true", help="head and embeddings in Q4_0 too")
    options = parser.parse_args()
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.nthread = os.cpu_count() or 1
    settings.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0
    settings.allow_requantize = True
    settings.pure = options.pure
    failed = llama_cpp.llama_model_quantize(
        options.source.encode(), options.target.encode(), ctypes.byref(settings)
    )
    if failed:
        raise SystemExit(f"llama.cpp cannot quantise {options.source}.")


if __name__ == "__main__":
    main()
