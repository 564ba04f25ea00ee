"""An FP16 OpenVINO folder → the same model with NNCF's data-free INT4 weights.

Embeddings and head become INT8, as NNCF has it unless told otherwise.  Needs ``nncf``.

    python -m bench.peers.nncf_weights /tmp/demo-fp16 /tmp/demo-nncf --group 128
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import nncf
import openvino


def main() -> None:
    """Read the command line and compress."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--group", type=int, default=128)
    parser.add_argument("--asymmetric", action="store_true")
    options = parser.parse_args()
    mode = nncf.CompressWeightsMode
    model = openvino.Core().read_model(options.source / "openvino_model.xml")
    compressed = nncf.compress_weights(
        model,
        mode=mode.INT4_ASYM if options.asymmetric else mode.INT4_SYM,
        group_size=options.group,
        ratio=1.0,
    )
    leave_out = shutil.ignore_patterns("openvino_model.*", "bedside.json")
    shutil.copytree(options.source, options.target, ignore=leave_out)
    openvino.save_model(compressed, options.target / "openvino_model.xml", compress_to_fp16=False)


if __name__ == "__main__":
    main()
