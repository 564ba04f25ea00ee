"""Sizes that are foretold are those that come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from converted import write
from tiny_checkpoint import write_checkpoint

from serving.ir import footprint
from serving.ir.convert import load
from serving.ir.footprint import CacheShape
from serving.ir.formats import Precision

# Large enough for the graph's own constants to be a small part.
WIDE: dict[str, Any] = {"hidden": 512, "intermediate": 1024, "vocab": 2000, "heads": 4}


@pytest.mark.parametrize(
    "precision",
    [
        Precision(),
        Precision("int4", 32, symmetric=False, head="int4", embedding="fp16"),
        Precision("int4", 0),
        Precision("int4", 64, int8_share=0.5),
        Precision("int8"),
        Precision("bf16"),
        Precision("fp32"),
    ],
    ids=lambda precision: "-".join(precision.words().values()),
)
@pytest.mark.parametrize(("family", "tied"), [("glm", False), ("qwen3", True)])
def test_weights_take_what_was_foretold(
    tmp_path: Path, precision: Precision, family: str, tied: bool
) -> None:
    source = write_checkpoint(tmp_path / "s", family, head_dim=128, tied=tied, **WIDE)
    model, architecture = write(source, tmp_path, precision)
    size = model.with_suffix(".bin").stat().st_size
    # A share is met to within half a projection, of which there are eight here.
    tolerance = 0.08 if precision.int8_share else 0.01
    assert footprint.stored_bytes(architecture, precision) == pytest.approx(size, rel=tolerance)


def test_parameters_are_those_of_the_checkpoint(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path, "qwen2", tied=True)
    checkpoint, architecture = load(source)
    stored = sum(checkpoint.read(name).size for name in checkpoint.names())
    assert footprint.parameters(architecture) == stored
    assert footprint.stored_bytes(architecture, Precision("fp32")) == 4 * stored


def test_a_token_takes_its_keys_and_values() -> None:
    shape = CacheShape(layers=28, kv_heads=2, head_size=128)
    assert shape.bytes_per_token("bf16") == 2 * 28 * 2 * 128 * 2
    assert shape.bytes_per_token("f32") == 2 * shape.bytes_per_token("bf16")
    half = shape.bytes_per_token("bf16") / 2
    assert half < shape.bytes_per_token("u8") < 1.1 * half
