"""What the patient does not bear is kept, whatever stands beside it."""

from __future__ import annotations

import pytest

from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.pipeline import Structurer
from knowledge.text.finding import Polarity


@pytest.fixture(scope="module")
def structurer() -> Structurer:
    """The lexicon alone: no model decides here."""
    return Structurer(None, None)


def allergens(structurer: Structurer, text: str) -> set[str]:
    return {
        entity.text
        for entity in structurer.structure(NoteText("", text)).entities
        if entity.allergen and entity.polarity is Polarity.PRESENT
    }


@pytest.mark.parametrize(
    ("text", "wanted", "never"),
    [
        ("过敏史：青霉素（－）海鲜（＋）", {"海鲜"}, {"青霉素"}),
        ("过敏史：芒果阳性，鸡蛋阴性", {"芒果"}, {"鸡蛋"}),
        ("对花生、芒果过敏，无药物过敏史。", {"花生", "芒果过敏"}, set()),
        ("过敏史：头孢(+)，磺胺(-)", {"头孢"}, {"磺胺"}),
    ],
)
def test_an_item_of_a_field_or_list_is_an_allergen(
    structurer: Structurer, text: str, wanted: set[str], never: set[str]
) -> None:
    found = allergens(structurer, text)
    assert wanted <= found
    assert not never & found
