"""What four bits cost: squared error of weights, ours and the peers', at equal bits a weight.

The same matrices (drawn at random, and of a GGUF file where one is given) go through our
quantiser, llama.cpp's Q4_0 (as the ``gguf`` package does it) and NNCF's data-free INT4, which is
reached in a Python environment of its own.  A line each, with the error over the mean square of
the weights, and last, a line a scheme and group over all matrices.

    python -m bench.weight_quality --gguf model.gguf --nncf-python nncf/bin/python > quality.jsonl
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, quants
from numpy.typing import NDArray

from bench.machine import describe
from serving.ir.quantize import dequantize, quantize
from serving.ir.scheme import Scheme

Floats = NDArray[np.float32]
SCHEMES = [Scheme(4, group, symmetric) for group in (32, 64, 128, 0) for symmetric in (True, False)]
# Matrices kept in these show their trained weights best; a coarser grid would shine through.
FINE = ("F32", "F16", "BF16", "Q8_0", "Q6_K")


def drawn(rows: int, columns: int, seed: int) -> Iterator[tuple[str, Floats]]:
    """Matrices [rows, columns] from distributions with ever heavier tails."""
    source = np.random.default_rng(seed)
    draws: dict[str, Callable[[], Any]] = {
        "gaussian": lambda: source.standard_normal((rows, columns)),
        "laplace": lambda: source.laplace(size=(rows, columns)),
        "student, 3 degrees": lambda: source.standard_t(3, (rows, columns)),
    }
    for name, draw in draws.items():
        yield name, (draw() * 0.02).astype(np.float32)


def trained(source: Path, rows: int, limit: int) -> Iterator[tuple[str, Floats]]:
    """Some finely stored matrices of a GGUF file, from its beginning to its end."""
    fitting = [
        tensor
        for tensor in GGUFReader(str(source)).tensors
        if len(tensor.shape) == 2 and tensor.shape[0] % 128 == 0 and tensor.tensor_type.name in FINE
    ]
    chosen = np.linspace(0, len(fitting) - 1, min(limit, len(fitting))).round().astype(int)
    for tensor in (fitting[index] for index in chosen):
        every = max(1, len(tensor.data) // rows)
        weight = quants.dequantize(tensor.data[::every][:rows], tensor.tensor_type)
        yield f"{tensor.name} ({tensor.tensor_type.name})", weight.astype(np.float32)


def q4_0(weight: Floats) -> Floats:
    """``weight`` after llama.cpp's Q4_0: groups of 32, a float16 scale, 4.5 bits a weight."""
    kind = GGMLQuantizationType.Q4_0
    found: Floats = quants.dequantize(quants.quantize(weight, kind), kind)
    return found


def nncf(python: Path, matrices: dict[str, Floats], scheme: Scheme) -> dict[str, Floats]:
    """``matrices`` after NNCF's data-free INT4.

    Raises:
        RuntimeError: that Python or its NNCF does not work.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "given.npz"), Path(folder, "found.npz")
        named = {str(index): weight for index, weight in enumerate(matrices.values())}
        np.savez(given, allow_pickle=False, **named)
        command = [str(python), str(Path(__file__).with_name("nncf_weights.py"))]
        command += [str(given), str(found), "--group", str(scheme.group)]
        command += ["--mode", "int4_sym" if scheme.symmetric else "int4_asym"]
        try:
            child = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            raise RuntimeError(f"cannot run {python}: {error.strerror}") from error
        if child.returncode:
            raise RuntimeError((child.stderr.strip().splitlines() or ["it failed"])[-1])
        with np.load(found) as results:
            return {name: results[str(index)] for index, name in enumerate(matrices)}


def error(weight: Floats, other: Floats) -> float:
    """Mean squared error over the mean square of the weights."""
    exact = weight.astype(np.float64)
    return float(np.square(exact - other).mean() / np.square(exact).mean())


def run(settings: argparse.Namespace) -> None:
    """Compare every method on every matrix and print the lines."""
    matrices = dict(drawn(settings.rows, settings.columns, settings.seed))
    if settings.gguf:
        matrices.update(trained(settings.gguf, settings.rows, settings.tensors))
    else:
        print("No --gguf: drawn matrices only.", file=sys.stderr)
    summary: dict[tuple[Scheme, str], list[float]] = defaultdict(list)
    for scheme in SCHEMES:
        ours = {name: dequantize(quantize(weight, scheme)) for name, weight in matrices.items()}
        methods: dict[str, dict[str, Floats] | str] = {"ours": ours}
        if scheme == Scheme(4, 32):
            methods["llama.cpp Q4_0"] = {name: q4_0(weight) for name, weight in matrices.items()}
        peer = f"NNCF INT4_{'SYM' if scheme.symmetric else 'ASYM'}"
        try:
            methods[peer] = nncf(settings.nncf_python, matrices, scheme)
        except RuntimeError as reason:
            methods[peer] = f"not measured: {reason}"
        for method, results in methods.items():
            if isinstance(results, str):
                _print(method, scheme, {"note": results})
                continue
            for name, weight in matrices.items():
                found = error(weight, results[name])
                ratio = found / error(weight, ours[name])
                summary[scheme, method].append(ratio)
                columns = weight.shape[1]
                figures = {"relative_mse": float(f"{found:.5g}"), "over_ours": round(ratio, 4)}
                bits = round(scheme.bits_per_weight(columns), 4)
                shape = list(weight.shape)
                _print(method, scheme, {"tensor": name, "shape": shape, "bits": bits, **figures})
    for (scheme, method), ratios in summary.items():
        if method != "ours":
            mean = math.exp(math.fsum(map(math.log, ratios)) / len(ratios))
            figures = {"least_over_ours": min(ratios), "mean_over_ours": mean}
            rounded = {name: round(value, 4) for name, value in figures.items()}
            _print(method, scheme, {"tensors": len(ratios), **rounded})


def _print(method: str, scheme: Scheme, figures: dict[str, Any]) -> None:
    line = {
        "bench": "weight_quality",
        "method": method,
        "group": scheme.group,
        "symmetric": scheme.symmetric,
        **figures,
        **describe(),
    }
    print(json.dumps(line, ensure_ascii=False), flush=True)


def main() -> None:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gguf", type=Path, help="a GGUF file to take trained matrices of")
    parser.add_argument("--tensors", type=int, default=8, help="how many of it, at most")
    parser.add_argument(
        "--nncf-python", type=Path, default=Path("nncf/bin/python"), help="a Python that has NNCF"
    )
    parser.add_argument("--rows", type=int, default=512, help="rows taken of a matrix, at most")
    parser.add_argument("--columns", type=int, default=4096, help="columns of drawn matrices")
    parser.add_argument("--seed", type=int, default=0)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
