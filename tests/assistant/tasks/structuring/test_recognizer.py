from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tiny_bert
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.tasks.structuring.recognizer import ModelRecognizer
from assistant.tasks.structuring.span import EntityType, Recognizer
from serving.encoder.convert import convert
from serving.encoder.runtime import ModelUnavailable
from serving.encoder.shape import SpanShape

NOTE = "患者因胸痛3天入院，行冠脉造影示左前降支狭窄，予阿司匹林100mg。无发热、咳嗽。"
TEXTS = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(NOTE + "ＣＴ１㎎①é\u0301\u200d😀👩‍⚕️\r\n\t\x00 ﬁ\ud800"),
    ),
    max_size=200,
)


def seldom(by: float) -> dict[str, tiny_bert.Floats]:
    """Weights that find a few spans in a text, not hundreds: the fewer, the larger ``by``."""
    weights = tiny_bert.tensors()
    weights["span_head.projection.weight"] *= np.float32(0.5)
    weights["span_head.ends.bias"] -= np.float32(by)
    return weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("recognizer")
    return convert(tiny_bert.write(home / "tiny", seldom(2)), home / "converted", name="tiny")


@pytest.fixture(scope="module")
def recognizer(folder: Path) -> ModelRecognizer:
    return ModelRecognizer.open(folder, "f32")


def test_it_is_what_the_rest_works_with(recognizer: ModelRecognizer) -> None:
    assert isinstance(recognizer.name, str)
    kept: Recognizer = recognizer
    assert kept.name.startswith("tiny@")


def test_the_random_model_finds_spans_in_the_note(recognizer: ModelRecognizer) -> None:
    found = recognizer.recognise(NOTE)
    assert found
    assert all(isinstance(span.type, EntityType) and 0.5 <= span.score <= 1 for span in found)


@given(TEXTS)
@settings(deadline=None)
def test_spans_index_the_original_whatever_it_is(recognizer: ModelRecognizer, text: str) -> None:
    found = recognizer.labelled(text)
    places = [(span.start, span.end, span.label) for span in found]
    assert len(places) == len(set(places))
    assert places == sorted(places, key=lambda place: (place[0], -place[1], place[2]))
    tokens = recognizer.vocabulary.tokens(text)
    for span in found:
        assert 0 <= span.start < span.end <= len(text)
        assert span.start in tokens.starts
        assert span.end in tokens.ends
        # No span begins or ends with white space, or parts a character from its marks.
        words = text[span.start : span.end]
        assert words == words.strip()
        if span.end < len(text):
            assert unicodedata.category(text[span.end]) not in ("Mn", "Me")


@given(TEXTS)
@settings(deadline=None)
def test_flat_spans_share_no_character(recognizer: ModelRecognizer, text: str) -> None:
    found = recognizer.labelled(text)
    for before, after in pairwise(found):
        assert before.end <= after.start


@given(st.integers(0, 3), st.text(alphabet="😀é\u0301\r\n \x00", max_size=8))
@settings(deadline=None)
def test_what_makes_no_token_moves_spans_and_changes_nothing_else(
    recognizer: ModelRecognizer, place: int, noise: str
) -> None:
    silent = "".join(one for one in noise if not recognizer.vocabulary.tokens(one).ids)
    silent = silent.replace("\u0301", "")
    cut = ("患", "者因", "胸痛3天入院，行冠脉造影")
    text = "".join(cut)
    at = len("".join(cut[: min(place, 2)]))
    plain = [(span.start, span.end, span.label) for span in recognizer.labelled(text)]
    moved = recognizer.labelled(text[:at] + silent + text[at:])

    def shift(start: int, end: int) -> tuple[int, int]:
        return (
            start + (len(silent) if start >= at else 0),
            end + (len(silent) if end > at else 0),
        )

    assert [(span.start, span.end, span.label) for span in moved] == [
        (*shift(start, end), label) for start, end, label in plain
    ]


def test_a_long_text_is_read_to_its_end(tmp_path: Path) -> None:
    source = tiny_bert.write(tmp_path / "tiny", seldom(3))
    recognizer = ModelRecognizer.open(convert(source, tmp_path / "converted"), "f32")
    text = (NOTE + "\r\n") * (250_000 // len(NOTE.encode()))
    assert len(text.encode()) >= 250_000
    found = recognizer.labelled(text)
    assert found[-1].end > len(text) - 20 * len(NOTE)
    assert all(0 <= span.start < span.end <= len(text) for span in found)
    # What stands around is the same every time, so what is found is the same few wordings.
    assert len({text[span.start : span.end] for span in found}) < len(found) / 50


def test_empty_and_silent_texts_have_no_spans(recognizer: ModelRecognizer) -> None:
    for text in ("", " ", "\r\n\t", "\x00\u200b"):
        assert recognizer.recognise(text) == []


def test_threads_find_the_same(recognizer: ModelRecognizer) -> None:
    expected = recognizer.recognise(NOTE)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(recognizer.recognise, [NOTE] * 12))
    for one in found:
        assert [(s.start, s.end, s.type) for s in one] == [
            (s.start, s.end, s.type) for s in expected
        ]


def test_nested_spans_stay(tmp_path: Path) -> None:
    span = SpanShape(tiny_bert.LABELS, size=8, nested=True)
    source = tiny_bert.write(tmp_path / "tiny", span=span)
    found = ModelRecognizer.open(convert(source, tmp_path / "nested"), "f32").labelled(NOTE)
    assert any(
        before.start <= after.start and after.end <= before.end and before != after
        for before in found
        for after in found
    )


def test_labels_of_several_sets_are_told_apart(tmp_path: Path) -> None:
    labels = ("notes/疾病和诊断", "questions/disease", "questions/crowd", "questions/drug")
    span = SpanShape(labels, size=8)
    source = tiny_bert.write(tmp_path / "tiny", span=span)
    folder = convert(source, tmp_path / "both")
    every = ModelRecognizer.open(folder, "f32")
    by_set = {label.partition("/")[0] for label in (one.label for one in every.labelled(NOTE))}
    assert by_set == {"notes", "questions"}
    kinds = {found.type for found in every.recognise(NOTE)}
    assert kinds <= {EntityType.DISEASE, EntityType.DRUG}
    notes = ModelRecognizer.open(folder, "f32", prefer=["notes"]).recognise(NOTE)
    assert {found.type for found in notes} <= {EntityType.DISEASE}


def test_a_higher_threshold_gives_fewer_spans(folder: Path) -> None:
    low = ModelRecognizer.open(folder, "f32", above=0.5).recognise(NOTE)
    bound = max(span.score for span in low) - 1e-4
    high = ModelRecognizer.open(folder, "f32", above=bound).recognise(NOTE)
    assert 0 < len(high) < len(low)
    assert all(span.score >= bound for span in high)


def test_an_encoder_without_a_head_says_so(tmp_path: Path) -> None:
    source = tiny_bert.write(tmp_path / "encoder", span=None)
    with pytest.raises(ModelUnavailable, match="without a span head"):
        ModelRecognizer.open(convert(source, tmp_path / "converted"))
