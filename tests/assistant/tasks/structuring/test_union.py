"""Spans of a model and of the lexicon as one answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.tasks.structuring.span import EntityType, TypedSpan
from assistant.tasks.structuring.union import union

D, S, B = EntityType.DISEASE, EntityType.SYMPTOM, EntityType.BODY_PART


@st.composite
def spans(draw: st.DrawFn) -> list[TypedSpan]:
    found = []
    for _ in range(draw(st.integers(0, 12))):
        start = draw(st.integers(0, 20))
        end = start + draw(st.integers(1, 6))
        kind = draw(st.sampled_from(list(EntityType)))
        found.append(TypedSpan(start, end, kind, draw(st.floats(0.5, 1))))
    return found


def shared(one: TypedSpan, other: TypedSpan) -> bool:
    return one.start < other.end and other.start < one.end


@given(spans(), spans())
def test_no_two_spans_of_a_type_share_a_character_and_none_is_lost_without_reason(
    model: list[TypedSpan], lexicon: list[TypedSpan]
) -> None:
    kept = union(model, lexicon)
    for index, one in enumerate(kept):
        assert not any(one.type == other.type and shared(one, other) for other in kept[:index])
    assert len({(span.start, span.end) for span in kept}) == len(kept)
    for one in {*model, *lexicon} - {*kept}:
        assert any(shared(one, other) for other in kept)
    assert kept == sorted(kept, key=lambda span: (span.start, -span.end, span.type))


def test_a_listed_term_is_whole_where_the_model_cuts_it() -> None:
    cut, term, other = TypedSpan(3, 6, D, 0.95), TypedSpan(0, 6, D, 0.9), TypedSpan(8, 10, D, 0.9)
    assert union([cut, other], [term]) == [term, other]
    guess = TypedSpan(0, 6, D, 0.8)
    assert union([cut], [guess]) == [cut]


def test_a_term_that_another_span_keeps_out_leaves_what_was_cut() -> None:
    cut, wide, term = TypedSpan(2, 3, D, 0.9), TypedSpan(0, 2, D, 0.95), TypedSpan(1, 3, D, 0.9)
    assert union([cut, wide], [term]) == [wide, cut]


def test_the_same_words_are_what_the_list_says() -> None:
    drug = TypedSpan(2, 5, EntityType.DRUG, 0.9)
    assert union([TypedSpan(2, 5, EntityType.PROCEDURE, 0.95)], [drug]) == [drug]
    surer = TypedSpan(0, 3, D, 0.7)
    assert union([TypedSpan(0, 3, B, 0.5), surer], []) == [surer]


def test_the_model_goes_before_the_lexicon_and_body_parts_nest() -> None:
    model = [TypedSpan(0, 6, D, 0.9), TypedSpan(2, 8, D, 0.6)]
    lexicon = [TypedSpan(4, 6, S, 1.0), TypedSpan(0, 2, B, 1.0), TypedSpan(10, 12, S, 0.9)]
    found = [(span.start, span.end, span.type) for span in union(model, lexicon)]
    assert found == [(0, 6, D), (0, 2, B), (10, 12, S)]
