"""A model whose weights are written once is the model that OpenVINO would have written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import openvino
import pytest
from openvino import Shape, Tensor, Type
from openvino import opset16 as op
from openvino.op import Constant

from serving.ir import serialization
from serving.ir.serialization import GraphUnknown, write_graph
from serving.ir.weight_file import WeightFile


def graph(file: WeightFile) -> openvino.Model:
    """Weights of four bits in the file, and constants that are not."""
    source = np.random.default_rng(0)
    codes = file.keep(source.integers(0, 255, 512).astype(np.uint8))
    bias = file.keep(source.standard_normal(32).astype(np.float16))
    weight = Constant(Tensor(codes, Shape([32, 32]), Type.u4), shared_memory=True)
    shift = Constant(Tensor(bias, shared_memory=True), shared_memory=True)
    shift.set_friendly_name('a "quoted" <name> & more')
    inputs = op.parameter([-1, 32], np.float32)
    product = op.matmul(inputs, op.convert(weight, "f32"), False, True)
    product = op.add(product, op.convert(shift, "f32"))
    product = op.multiply(product, op.constant(np.float32(0.5)))
    product = op.reshape(product, np.array([-1, 8, 4], np.int64), special_zero=False)
    return openvino.Model([product], [inputs])


def infer(path: Path) -> np.ndarray:
    inputs = np.random.default_rng(1).standard_normal((3, 32)).astype(np.float32)
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    return openvino.Core().compile_model(path, "CPU", options)([inputs])[0]


def test_it_computes_what_openvinos_own_file_computes(tmp_path: Path) -> None:
    with WeightFile(tmp_path / "model.bin") as file:
        model = graph(file)
        write_graph(model, tmp_path / "model.xml", file)
        openvino.serialize(model, tmp_path / "own.xml")
    np.testing.assert_array_equal(infer(tmp_path / "model.xml"), infer(tmp_path / "own.xml"))


def test_weights_are_written_once(tmp_path: Path) -> None:
    with WeightFile(tmp_path / "model.bin") as file:
        model = graph(file)
        write_graph(model, tmp_path / "model.xml", file)
    # 512 bytes of codes, 64 of numbers, and one number and one shape, each on a place of its own.
    assert (tmp_path / "model.bin").stat().st_size == 512 + 3 * 64


def test_an_empty_constant_and_odd_names_do_no_harm(tmp_path: Path) -> None:
    with WeightFile(tmp_path / "model.bin") as file:
        inputs = op.parameter([-1, 32], np.float32)
        shift = op.constant(np.arange(32, dtype=np.float32))
        shift.set_friendly_name("a name\non two\tlines")
        axes = op.constant(np.array([], np.int64))
        odd = openvino.Model([op.reduce_sum(op.add(inputs, shift), axes)], [inputs])
        write_graph(odd, tmp_path / "model.xml", file)
    read = openvino.Core().read_model(tmp_path / "model.xml")
    constants = [node for node in read.get_ops() if node.get_type_name() == "Constant"]
    assert sorted(node.get_byte_size() for node in constants) == [0, 128]
    (found,) = (node for node in constants if node.get_byte_size())
    np.testing.assert_array_equal(found.data.reshape(-1), np.arange(32))


def test_a_failure_removes_nothing_but_its_own(tmp_path: Path) -> None:
    with WeightFile(tmp_path / "model.bin") as file:
        model = graph(file)
        (tmp_path / "model.xml").mkdir()
        with pytest.raises(RuntimeError):
            write_graph(model, tmp_path / "model.xml", file)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.bin", "model.xml"]


@pytest.mark.parametrize(
    ("told", "instead"), [('type="Const"', 'type="Constant"'), ('size="512"', 'size="511"')]
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, instead: str
) -> None:
    serialize = openvino.serialize

    def changed(model: openvino.Model, path: Path, weights: Path) -> None:
        serialize(model, path, weights)
        path.write_text(path.read_text().replace(told, instead, 1))

    monkeypatch.setattr(serialization.openvino, "serialize", changed)
    with WeightFile(tmp_path / "model.bin") as file:
        model = graph(file)
        with pytest.raises(GraphUnknown, match=r"model\.xml"):
            write_graph(model, tmp_path / "model.xml", file)
