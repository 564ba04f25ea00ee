from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_bert

from serving.encoder.checkpoint import BertCheckpoint
from serving.ir.checkpoint import CheckpointError


def changed(folder: Path, **values: object) -> Path:
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | values
    path.write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_tensors_are_read_as_written(tmp_path: Path) -> None:
    weights = tiny_bert.tensors()
    found = BertCheckpoint(tiny_bert.write(tmp_path, weights))
    read = found.encoder_tensors() | found.head_tensors()
    assert read.keys() == weights.keys()
    assert all(np.array_equal(read[name], weights[name]) for name in weights)
    assert found.head == tiny_bert.SPAN


def test_names_of_older_and_bare_checkpoints_are_the_same_tensors(tmp_path: Path) -> None:
    weights = tiny_bert.tensors(span=None)
    old = {
        name.removeprefix("bert.")
        .replace("LayerNorm.weight", "LayerNorm.gamma")
        .replace("LayerNorm.bias", "LayerNorm.beta"): values
        for name, values in weights.items()
    }
    extra = {**old, "cls.predictions.bias": np.zeros(3, np.float32)}
    found = BertCheckpoint(tiny_bert.write(tmp_path, extra, span=None))
    assert found.head is None
    read = found.encoder_tensors()
    assert all(np.array_equal(read[name], weights[name]) for name in weights)


def test_a_tensor_of_another_shape_is_named_with_its_folder(tmp_path: Path) -> None:
    weights = tiny_bert.tensors()
    name = "bert.encoder.layer.1.output.dense.weight"
    weights[name] = weights[name][:, :-1]
    with pytest.raises(CheckpointError, match=name) as caught:
        BertCheckpoint(tiny_bert.write(tmp_path, weights)).encoder_tensors()
    assert str(tmp_path) in str(caught.value)


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    weights = tiny_bert.tensors()
    del weights["span_head.ends.bias"]
    with pytest.raises(CheckpointError, match=r"span_head\.ends\.bias"):
        BertCheckpoint(tiny_bert.write(tmp_path, weights)).head_tensors()


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    weights = tiny_bert.tensors()
    weights["bert.embeddings.LayerNorm.bias"][3] = np.nan
    with pytest.raises(CheckpointError, match=r"embeddings\.LayerNorm\.bias"):
        BertCheckpoint(tiny_bert.write(tmp_path, weights)).encoder_tensors()


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    path = tiny_bert.write(tmp_path) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is cut short"):
        BertCheckpoint(tmp_path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model_type": "xlnet"}, "xlnet"),
        ({"hidden_size": "wide"}, "hidden_size must be a whole number"),
        ({"num_attention_heads": 5}, "no multiple of num_attention_heads"),
        ({"hidden_act": "swish"}, "swish"),
        ({"vocab_size": 9}, r"vocab\.txt lists"),
        ({"span_head": {"labels": ["a"]}}, "span_head needs labels, size and nested"),
        ({"span_head": {"labels": ["a", "a"], "size": 8, "nested": False}}, "labels that differ"),
        (
            {"span_head": {"labels": ["a"], "size": 8, "nested": False, "above": 0}},
            "between 0 and 1",
        ),
        ({"vocabulary": "characters"}, "vocabulary is not an object"),
    ],
)
def test_a_configuration_that_cannot_be_says_what_is_wrong(
    tmp_path: Path, values: dict[str, object], words: str
) -> None:
    with pytest.raises(CheckpointError, match=words) as caught:
        BertCheckpoint(changed(tiny_bert.write(tmp_path), **values))
    assert str(tmp_path) in str(caught.value)


def test_a_folder_without_a_vocabulary_says_so(tmp_path: Path) -> None:
    (tiny_bert.write(tmp_path) / "vocab.txt").unlink()
    with pytest.raises(CheckpointError, match=r"vocab\.txt is missing"):
        BertCheckpoint(tmp_path)
