"""Generated pages: the same by seed, true to themselves, their boxes on the ink."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from assistant.tasks.bill_ocr.chinese_amount import read_words
from eval.clinical.bills.generator.fonts import NoFont, choose
from eval.clinical.bills.generator.layout import layouts
from eval.clinical.bills.generator.page import pixels
from eval.clinical.bills.generator.render import draw
from eval.clinical.bills.generator.sets import sample

FORMS = [*layouts("seen"), *layouts("unseen")]


@pytest.fixture(autouse=True)
def _fonts() -> None:
    from random import Random

    try:
        choose("hei", Random(1))
    except NoFont:
        pytest.skip("no Chinese font is installed")


def test_there_are_enough_layouts_and_unseen_ones_are_apart() -> None:
    assert len(layouts("seen")) >= 12
    assert len(layouts("unseen")) >= 4
    assert len({form.name for form in FORMS}) == len(FORMS)
    assert len({form.kind for form in FORMS}) == 7


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_page_agrees_with_itself_and_its_boxes_hold_ink(form: object) -> None:
    from eval.clinical.bills.generator.layout import Layout

    assert isinstance(form, Layout)
    page, facts = draw(form, 4)
    truth = page.document()
    if "total" in facts.values and form.table is not None and form.table.source == "items":
        added = sum(Decimal(item["amount"]) for item in facts.items)
        assert added == Decimal(facts.values["total"])
    if "total_in_words" in truth.fields:
        words = read_words(truth.fields["total_in_words"].text)
        assert words == Decimal(facts.values["total"])
    image = pixels(page.image)
    cells = [*truth.fields.values(), *(c for item in truth.items for c in item.values())]
    for cell in cells:
        assert cell.box is not None
        box = cell.box
        part = image[box.y : box.y + box.height, box.x : box.x + box.width]
        assert part.size
        assert int(part.max()) - int(part.min()) > 60, cell.value


@pytest.mark.parametrize("name", ["easy", "hard", "unseen"])
def test_a_seed_gives_the_same_picture(name: object) -> None:
    one, again = (sample(name, 1, 5) for _ in range(2))  # type: ignore[arg-type]
    assert np.array_equal(one.image, again.image)
    assert one.documents == again.documents
    other = sample(name, 1, 6)  # type: ignore[arg-type]
    assert other.documents != one.documents


def test_boxes_move_with_the_pixels_and_two_bills_may_share_a_photo() -> None:
    pair = sample("hard", 19, 2)
    assert pair.layout == "pair"
    assert len(pair.documents) == 2
    height, width = pair.image.shape[:2]
    for document in pair.documents:
        for cell in document.fields.values():
            assert cell.box is not None
            assert cell.box.x + cell.box.width <= width
            assert cell.box.y + cell.box.height <= height
