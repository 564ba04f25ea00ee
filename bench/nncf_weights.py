"""What NNCF's data-free INT4 makes of matrices; runs where NNCF is installed.

    python nncf_weights.py matrices.npz compressed.npz --group 128 --mode int4_sym

Each matrix becomes the weight of a MatMul of its own, goes through ``nncf.compress_weights`` and
is read back as OpenVINO decompresses it.  Imports nothing of this project.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np


def compressed(weight: Any, group: int, mode: str) -> Any:
    """``weight`` [rows, columns] after compression and decompression, float32."""
    import nncf
    import openvino as ov
    from openvino import opset13 as op

    vectors = op.parameter([-1, weight.shape[1]], np.float32)
    product = op.matmul(vectors, op.constant(weight), False, True)
    model = nncf.compress_weights(
        ov.Model([product], [vectors]),
        mode=nncf.CompressWeightsMode(mode),
        group_size=group or -1,
        ratio=1.0,
        all_layers=True,
    )
    kinds = {node.get_output_element_type(0).get_type_name() for node in model.get_ops()}
    if not kinds & {"i4", "u4"}:
        raise SystemExit(f"NNCF left the weights of {mode}, group {group}, as {sorted(kinds)}")
    (matmul,) = [node for node in model.get_ops() if node.get_type_name() == "MatMul"]
    weights = ov.Model([matmul.input_value(1)], [])
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    found = ov.Core().compile_model(weights, "CPU", options)([])[0]
    return np.asarray(found, np.float32).reshape(weight.shape)


def main() -> None:
    """Read the matrices, compress each, write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--group", type=int, required=True, help="0: one scale a row")
    parser.add_argument("--mode", choices=("int4_sym", "int4_asym"), required=True)
    settings = parser.parse_args()
    with np.load(settings.source) as matrices:
        found = {
            name: compressed(matrices[name], settings.group, settings.mode) for name in matrices
        }
    np.savez(settings.target, **found)


if __name__ == "__main__":
    main()
