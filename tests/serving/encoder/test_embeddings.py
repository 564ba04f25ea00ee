from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_bert

from serving.encoder.convert import convert
from serving.encoder.text_encoder import Encoder, EncoderUnavailable, open_encoder

TEXTS = ["患者胸痛3天。", "", "\x00", "予阿司匹林100mg，" * 20, "无发热"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("embeddings")
    return convert(tiny_bert.write(home / "tiny", span=None), home / "converted")


def test_a_folder_is_an_encoder(folder: Path) -> None:
    encoder = open_encoder(f"bert:{folder}")
    assert isinstance(encoder, Encoder)
    assert (encoder.name, encoder.dim) == (f"bert:{folder}", tiny_bert.SHAPE.hidden_size)
    vectors = encoder.passages(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dim)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(encoder.queries(TEXTS[:1])[0], vectors[0], atol=0.02)
    assert encoder.passages([]).shape == (0, encoder.dim)


def test_other_weights_are_another_version(folder: Path, tmp_path: Path) -> None:
    weights = tiny_bert.tensors(seed=8, span=None)
    other = convert(tiny_bert.write(tmp_path / "a", weights, span=None), tmp_path / "b")
    assert open_encoder(f"bert:{folder}").version != open_encoder(f"bert:{other}").version


def test_what_is_no_encoder_says_so(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match="no converted encoder"):
        open_encoder(f"bert:{tmp_path}")
    spans = convert(tiny_bert.write(tmp_path / "a"), tmp_path / "b")
    with pytest.raises(EncoderUnavailable, match="its head"):
        open_encoder(f"bert:{spans}")
