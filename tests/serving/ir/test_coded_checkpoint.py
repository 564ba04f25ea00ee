"""Codes that others have searched for come through bit by bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from coded_files import GROUP, write_coded
from complete_checkpoint import write_complete
from converted import EXACT, Running
from reference import Reference
from tiny_checkpoint import write_checkpoint

from serving.ir.checkpoint import CheckpointError
from serving.ir.checkpoint_opening import open_checkpoint
from serving.ir.convert import ConversionError, convert, load
from serving.ir.formats import Precision
from serving.models import manifest

METHODS = ["gptq", "awq"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("middle", [False, True])
@pytest.mark.parametrize("family", ["qwen2", "qwen3_moe"])
def test_logits_are_those_of_the_numbers_that_the_codes_stand_for(
    tmp_path: Path, method: str, middle: bool, family: str
) -> None:
    base = write_complete(tmp_path / "base", family, intermediate=160)
    numbers = write_coded(tmp_path / "coded", base, method, middle=middle)
    wide = Precision(head="fp32", embedding="fp32")
    made = convert(tmp_path / "coded", tmp_path / "model", wide)
    assert made.settings["codes_of"] == method
    reference = Reference(base)
    reference.weights = numbers
    ids = list(range(9, 30))
    facts: Any = None
    running = Running(tmp_path / "model" / manifest.MODEL_FILE, facts, EXACT)
    # The plugin may multiply a code by its scale in float16.
    np.testing.assert_allclose(running.step([ids])[0], reference.logits(ids), rtol=0, atol=1e-2)


@pytest.mark.parametrize("method", METHODS)
def test_codes_scales_and_zero_points_are_kept_bit_by_bit(tmp_path: Path, method: str) -> None:
    base = write_complete(tmp_path / "base", intermediate=160)
    write_coded(tmp_path / "coded", base, method)
    convert(tmp_path / "coded", tmp_path / "model")
    checkpoint, architecture = load(tmp_path / "coded")
    down = architecture.projections[-1]
    wanted = down.codes(checkpoint)
    assert wanted is not None
    assert wanted.group == GROUP
    model = openvino.Core().read_model(tmp_path / "model" / manifest.MODEL_FILE)
    constants = {
        op.get_friendly_name(): op for op in model.get_ops() if op.get_type_name() == "Constant"
    }
    packed = wanted.packed.reshape(-1)
    zeros = wanted.zero.reshape(-1)
    points = zeros[0::2] | zeros[1::2] << 4
    stored = [np.frombuffer(np.asarray(op.data).tobytes(), np.uint8) for op in constants.values()]
    for expected in (packed, points, np.frombuffer(wanted.scale.tobytes(), np.uint8)):
        assert any(np.array_equal(expected, array) for array in stored)


@pytest.mark.parametrize("method", METHODS)
def test_read_as_numbers_rows_are_those_of_the_whole(tmp_path: Path, method: str) -> None:
    base = write_checkpoint(tmp_path / "base", "qwen2", intermediate=160)
    numbers = write_coded(tmp_path / "coded", base, method)
    checkpoint = open_checkpoint(tmp_path / "coded")
    name = "model.layers.0.self_attn.q_proj.weight"
    assert checkpoint.kind(name) == method.upper()
    assert checkpoint.shape(name) == numbers[name].shape
    np.testing.assert_allclose(checkpoint.read(name), numbers[name], atol=1e-6)
    order = np.array([7, 0, 7])
    np.testing.assert_allclose(checkpoint.read(name, order), numbers[name][order], atol=1e-6)
    np.testing.assert_allclose(checkpoint.read(name, slice(3, 5)), numbers[name][3:5], atol=1e-6)


def test_eight_bits_are_made_of_the_numbers(tmp_path: Path) -> None:
    base = write_complete(tmp_path / "base", intermediate=160)
    numbers = write_coded(tmp_path / "coded", base, "gptq")
    made = convert(tmp_path / "coded", tmp_path / "model", Precision("fp32"))
    assert "codes_of" not in made.settings
    reference = Reference(base)
    reference.weights = numbers
    ids = list(range(9, 30))
    facts: Any = None
    running = Running(tmp_path / "model" / manifest.MODEL_FILE, facts, EXACT)
    np.testing.assert_allclose(running.step([ids])[0], reference.logits(ids), rtol=0, atol=2e-4)


@pytest.mark.parametrize(
    ("method", "settings", "told"),
    [
        ("gptq", {"bits": 8}, "gptq, 8 bits"),
        ("awq", {"version": "gemv"}, "version 'gemv'"),
        ("gptq", {"group_size": 48}, "do not divide into groups of 48"),
        ("awq", {"group_size": 64}, "codes ask for"),
    ],
)
def test_other_forms_are_refused_in_words(
    tmp_path: Path, method: str, settings: dict[str, Any], told: str
) -> None:
    base = write_complete(tmp_path / "base", intermediate=160)
    write_coded(tmp_path / "coded", base, method, **settings)
    with pytest.raises(ConversionError) as refused:
        convert(tmp_path / "coded", tmp_path / "model")
    assert told in str(refused.value)
    assert not (tmp_path / "model").exists()


def test_inputs_in_another_order_are_refused_by_name(tmp_path: Path) -> None:
    base = write_complete(tmp_path / "base", intermediate=160)
    write_coded(tmp_path / "coded", base, "gptq")
    file = tmp_path / "coded" / "model.safetensors"
    content = bytearray(file.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    name = "model.layers.0.mlp.down_proj.g_idx"
    begin = start + header[name]["data_offsets"][0]
    content[begin : begin + 4] = (3).to_bytes(4, "little")
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match="desc_act"):
        open_checkpoint(tmp_path / "coded").codes("model.layers.0.mlp.down_proj.weight")
