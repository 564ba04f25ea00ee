"""The model file's wire format, against the library that defines it."""

from __future__ import annotations

import contextlib

import pytest
import sentencepiece
import tokenizer_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from serving.ir.sentencepiece_model import Kind, Piece, parse, serialise

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
PIECES = st.lists(
    st.builds(
        Piece,
        TEXTS,
        st.floats(-1e4, 0, width=32),
        st.sampled_from([Kind.NORMAL, Kind.CONTROL, Kind.USER_DEFINED, Kind.UNUSED]),
    ),
    unique_by=lambda piece: piece.text,
)


def test_reads_what_the_trainer_wrote() -> None:
    data = samples.sentencepiece_model()
    model = parse(data)
    library = sentencepiece.SentencePieceProcessor(model_proto=data)
    assert len(model.pieces) == library.vocab_size()
    for at, piece in enumerate(model.pieces):
        assert piece.text == library.id_to_piece(at)
        assert piece.score == pytest.approx(library.get_score(at))
        assert (piece.kind == Kind.BYTE) == library.is_byte(at)
        assert (piece.kind == Kind.CONTROL) == library.is_control(at)
    assert model.add_dummy_prefix
    assert not model.remove_extra_whitespaces
    assert model.find("</s>") == 2


@given(PIECES, st.booleans(), st.booleans())
def test_reads_what_it_wrote(pieces: list[Piece], dummy: bool, squeeze: bool) -> None:
    pieces = [Piece("\x01unknown", 0.0, Kind.UNKNOWN), *pieces]
    model = parse(serialise(pieces, add_dummy_prefix=dummy, remove_extra_whitespaces=squeeze))
    assert model.pieces == pieces
    assert (model.add_dummy_prefix, model.remove_extra_whitespaces) == (dummy, squeeze)


def test_the_library_reads_what_it_wrote() -> None:
    model = parse(samples.sentencepiece_model())
    library = sentencepiece.SentencePieceProcessor(
        model_proto=serialise(model.pieces, add_dummy_prefix=True)
    )
    original = sentencepiece.SentencePieceProcessor(model_proto=samples.sentencepiece_model())
    for text in samples.SAMPLES:
        assert library.encode(text) == original.encode(text)


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert any(piece.kind == Kind.UNKNOWN for piece in parse(data).pieces)


def test_a_cut_file_is_refused_or_shorter() -> None:
    data = samples.sentencepiece_model()
    whole = len(parse(data).pieces)
    for size in range(0, 4000, 37):
        with contextlib.suppress(ValueError):
            assert len(parse(data[:size]).pieces) < whole


def test_decoded_pieces() -> None:
    assert Piece("▁血压").decoded() == " 血压".encode()
    assert Piece("<0xE8>", kind=Kind.BYTE).decoded() == b"\xe8"
    assert Piece("x", kind=Kind.UNUSED).decoded() == b""
