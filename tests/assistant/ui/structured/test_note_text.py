"""Notes with their entities marked."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from structured_sample import ATTACK, entity, note

from assistant.tasks.structuring.entity import Entity
from assistant.tasks.structuring.request import NoteToStructure
from assistant.tasks.structuring.span import EntityType
from assistant.tasks.structuring.ui.note_text import marked, notes_html, pieces
from assistant.ui.strings import Text
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality

ZH, EN = Text("zh"), Text("en")


class Marks(HTMLParser):
    """The text as a browser has it, and which part of it each entity covers."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.open: list[str] = []
        self.covered: dict[str, set[int]] = {}
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "span", tag
        self.open.append(dict(attrs)["data-e"] or "")

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for _ in data:
            for name in self.open:
                self.covered.setdefault(name, set()).add(len(self.text))
            self.text += _


def covered(entities: list[Entity]) -> dict[str, set[int]]:
    return {e.id: set(range(e.start, e.end)) for e in entities}


def drawn(values: list[tuple[int, int, EntityType]], text: str) -> list[Entity]:
    found = []
    for number, (start, length, kind) in enumerate(values):
        start = min(start, len(text) - 1)
        words = text[start : start + length]
        found.append(
            Entity(id=f"e{number}", start=start, end=start + len(words), text=words, type=kind)
        )
    return found


@given(
    st.text(st.sampled_from("肺炎a<>&\"'\r\n\t😀e\u0301 "), min_size=1, max_size=40),
    st.lists(
        st.tuples(st.integers(0, 39), st.integers(1, 12), st.sampled_from(EntityType)), max_size=9
    ),
)
def test_every_span_covers_its_words_however_they_nest_and_cross(
    text: str, values: list[tuple[int, int, EntityType]]
) -> None:
    entities = drawn(values, text)
    shown = Marks(marked(text, entities, ZH))
    assert shown.text == text
    assert shown.covered == covered(entities)


def test_a_nested_span_leaves_room_for_the_line_below_it() -> None:
    text = "右下肺感染"
    outer = entity(text, text, EntityType.DISEASE)
    inner = entity(text, "右下肺", EntityType.BODY_PART, 2)
    assert [(p.entity.id, p.levels) for p in pieces([inner, outer], len(text))] == [
        ("e1", 1),
        ("e2", 0),
    ]
    assert 'class="en t-disease over1"' in marked(text, [outer, inner], ZH)


def test_crossing_spans_are_cut_and_named_once() -> None:
    text = "双肺呼吸音粗"
    one = entity(text, "双肺呼吸", EntityType.BODY_PART)
    two = entity(text, "呼吸音粗", EntityType.SIGN, 2)
    shown = marked(text, [one, two], ZH)
    assert Marks(shown).covered == covered([one, two])
    assert [(p.start, p.end, p.first) for p in pieces([one, two], 6)] == [
        (0, 4, True),
        (2, 4, True),
        (4, 6, False),
    ]
    assert shown.count('role="note"') == 2


def test_offsets_hold_after_emoji_carriage_returns_and_null() -> None:
    text = "😀\r\n\0无发热"
    fever = entity(text, "发热", EntityType.SYMPTOM)
    shown = marked(text, [fever], ZH)
    assert "&#13;\n" in shown
    assert Marks(shown).covered == covered([fever])


def test_how_it_is_meant_is_said_in_words_and_not_by_colour_alone() -> None:
    text = "父亲可能曾患肺炎"
    entities = [
        entity(
            text,
            "肺炎",
            EntityType.DISEASE,
            polarity=Polarity.ABSENT,
            certainty=Certainty.UNCERTAIN,
            temporality=Temporality.PAST,
            subject=Experiencer.FAMILY,
        )
    ]
    shown = marked(text, entities, ZH)
    assert 'class="en t-disease absent uncertain past family"' in shown
    assert "疾病：肺炎 · 否认 · 可疑 · 既往 · 家族或他人" in shown
    assert 'data-mark="否·疑·既往·家族"' in shown
    assert "disease：肺炎 · denied · uncertain" in marked(text, entities, EN)
    legend = notes_html([NoteToStructure(id="n1", text=text)], [note(text, entities)], ZH)
    assert re.findall(r'class="en look (\w+)"', legend) == ["absent", "uncertain", "past", "family"]


def test_words_that_state_something_as_normal_are_not_struck_out() -> None:
    text = "尿量正常"
    entities = [
        entity(
            text,
            text,
            EntityType.SYMPTOM,
            polarity=Polarity.ABSENT,
            reassuring=True,
            concept="少尿",
        )
    ]
    shown = marked(text, entities, ZH)
    assert 'class="en t-symptom reassuring"' in shown
    assert "症状：尿量正常 · 正常表述 · 即无少尿" in shown
    assert 'data-mark="正常"' in shown


def test_nothing_in_a_note_becomes_markup() -> None:
    text = f"发热{ATTACK}"
    entities = [
        entity(text, "发热", EntityType.SYMPTOM),
        entity(text, ATTACK, EntityType.DRUG, 2, concept=ATTACK),
    ]
    texts = [NoteToStructure(id="n1", title=ATTACK, text=text)]
    shown = notes_html(texts, [note(text, entities)], ZH)
    assert "<script" not in shown
    assert "<img" not in shown
    assert html.unescape(shown).count("window.broken=1") >= 3


def test_the_legend_counts_the_types_that_occur() -> None:
    text = "发热、咳嗽，肺炎"
    entities = [
        entity(text, "发热", EntityType.SYMPTOM),
        entity(text, "咳嗽", EntityType.SYMPTOM, 2),
        entity(text, "肺炎", EntityType.DISEASE, 3),
    ]
    shown = notes_html([NoteToStructure(id="n1", text=text)], [note(text, entities)], ZH)
    toggles = re.findall(r'data-toggle="(\w+)".*?class="count">(\d+)<', shown)
    assert toggles == [("disease", "1"), ("symptom", "2")]
    assert "结构化之后" in notes_html([], [], ZH)
