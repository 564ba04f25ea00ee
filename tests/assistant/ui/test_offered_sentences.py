"""What the record has beside a section: offered on its card, inserted with one click."""

from __future__ import annotations

from assistant.draft import Statement
from assistant.record.evidence import TextSpan
from assistant.review.fill_in import FillIn, Resolution
from assistant.tasks.discharge.draft import SectionDraft
from assistant.tasks.discharge.ui.section_card import section_card
from assistant.tasks.discharge.ui.state import StayWork
from assistant.ui.session import Shown
from assistant.ui.strings import Text

ZH = Text("zh")
PLACE = TextSpan(note_id="n1", start=0, end=5, quote="半流质饮食")


def shown(**more: object) -> Shown:
    def say(name: str, text: str) -> Statement:
        return Statement(id=name, text=text, status="supported", origin="record", evidence=[PLACE])

    draft = SectionDraft(
        section="hospital_course",
        title="诊疗经过",
        model="m",
        statements=[say("hospital_course-1", "转入ICU监护。")],
        offered=[say("hospital_course-offer1", "半流质饮食<b>。")],
    )
    return Shown("d1", draft, **more)  # type: ignore[arg-type]


def card(one: Shown) -> str:
    return section_card("hospital_course", StayWork(shown={"hospital_course": one}), ZH)


def test_an_offered_sentence_has_its_place_and_a_button() -> None:
    html = card(shown())
    offered = html[html.index('<details class="offered"') :]
    assert "还有 1 条" in offered
    assert "半流质饮食&lt;b&gt;" in offered
    assert 'data-statement="hospital_course-offer1"' in offered
    assert 'data-action="confirmed"' in offered
    assert 'data-quote="半流质饮食"' in offered


def test_an_inserted_one_can_be_taken_out_again() -> None:
    html = card(shown(resolutions={"hospital_course-offer1": Resolution("confirmed")}))
    assert "已插入" in html
    assert 'data-action="restored"' in html


def test_what_is_only_offered_does_not_stand() -> None:
    deleted = {"hospital_course-1": Resolution("deleted")}
    assert shown(resolutions=deleted).nothing_left
    inserted = deleted | {"hospital_course-offer1": Resolution("confirmed")}
    assert not shown(resolutions=inserted).nothing_left


def test_open_omissions_are_shown_with_what_is_filled_in() -> None:
    filled = FillIn(text="好转。", fields={}, omissions=["转入ICU监护。"])
    assert "缺少以下要点" in card(shown(filled=filled))
    assert "缺少以下要点" not in card(shown(filled=FillIn(text="好转。", fields={})))
