"""A head gets four bits where that was measured to lose next to nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from complete_checkpoint import write_complete
from tokenizer_samples import CLINICAL

from serving.ir import head_choice
from serving.ir.convert import convert
from serving.ir.formats import Precision
from serving.ir.quantize import dequantize, quantize
from serving.ir.scheme import Scheme
from serving.models.manifest import MODEL_FILE

AUTO = Precision("int4", 32, head="auto")


def head_of(folder: Path) -> Any:
    """The type of the constant that the last product multiplies by."""
    model = openvino.Core().read_model(folder / MODEL_FILE)
    node = model.output("logits").get_node().input_value(0).get_node().input_value(1).get_node()
    while node.get_type_name() != "Constant":
        node = node.input_value(0).get_node()
    return node.get_element_type().get_type_name()


@pytest.mark.parametrize(
    ("family", "limit", "kind"),
    [("qwen3", 10.0, "u4"), ("qwen3_5", 10.0, "u4"), ("qwen3_moe", 0.0, "i8")],
)
def test_the_head_is_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str, limit: float, kind: str
) -> None:
    monkeypatch.setattr(head_choice, "LIMIT", limit)
    source = write_complete(tmp_path / "source", family, layers=4, tied=True)
    made = convert(source, tmp_path / "model", AUTO, head_texts=CLINICAL)
    assert head_of(tmp_path / "model") == kind
    assert made.settings["head"] == {"u4": "int4", "i8": "int8"}[kind]
    assert "of int8's on" in made.settings["head_measured"]


def test_without_texts_it_has_eight_bits(tmp_path: Path) -> None:
    source = write_complete(tmp_path / "source")
    assert convert(source, tmp_path / "model", AUTO).settings["head"] == "int8"


def test_few_texts_decide_nothing(tmp_path: Path) -> None:
    source = write_complete(tmp_path / "source")
    made = convert(source, tmp_path / "model", AUTO, head_texts=["胸痛"])
    assert made.settings["head"] == "int8"
    assert "tokens only" in made.settings["head_measured"]


def test_a_model_that_does_not_fit_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_choice, "needed_memory", lambda *of: 1 << 60)
    source = write_complete(tmp_path / "source")
    made = convert(source, tmp_path / "model", AUTO, head_texts=CLINICAL)
    assert made.settings["head"] == "int8"


def test_perplexity_is_that_of_all_logits_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_choice, "_ROWS", 100)
    random = np.random.default_rng(0)
    head = quantize(random.standard_normal((331, 64)).astype(np.float32), Scheme(4, 32, False))
    hidden = random.standard_normal((20, 64)).astype(np.float32)
    following = random.integers(0, 331, 20)
    logits = (hidden @ dequantize(head).T).astype(np.float64)
    expected = np.log(np.exp(logits).sum(1)) - logits[np.arange(20), following]
    assert head_choice.nats(head, hidden, following) == pytest.approx(expected.mean(), rel=1e-5)
