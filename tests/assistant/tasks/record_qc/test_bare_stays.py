"""A stay of which only notes are there: one slip in it, and none."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from assistant.tasks.record_qc.draft import QcReport

Check = Callable[..., QcReport]
NOTES = {
    "入院记录": ("2026-11-02T22:10", "因“右髋部疼痛6小时”入院，走路不慎滑倒。甘精胰岛素14U qn；"
              "青霉素过敏（皮疹）。父亲死于肺癌。体重60kg。X线：右股骨颈骨折。"),
    "检验报告": ("2026-11-03T07:30", "Hb 112g/L，PLT 176×10^9/L。"),
    "术前小结": ("2026-11-04T16:00", "拟11-05行右人工股骨头置换术。术前预防用药：克林霉素0.6g。"),
    "手术记录": ("2026-11-05T11:20", "腰硬联合麻醉下行右侧人工股骨头置换术，出血250ml，未输血。"),
    "日常病程记录": ("2026-11-07T08:20", "术后第2日，予依诺肝素1mg/kg（60mg）q12h皮下。"),
    "出院小结": ("2026-11-14T09:30", "切口Ⅰ/甲。甘精胰岛素16U qn。12-14门诊复查X线。"),
}  # fmt: skip


def _stay(title: str = "", old: str = "", new: str = "") -> dict[str, Any]:
    notes = copy.deepcopy(NOTES)
    if title:
        at, text = notes[title]
        assert old in text
        notes[title] = at, text.replace(old, new)
    return {
        "id": "enc-q",
        "patient": {"id": "pat-q", "sex": "female", "age_years": 74},
        "admitted_at": "2026-11-02T22:10",
        "notes": [
            {"id": f"n{n}", "title": title, "written_at": at, "text": text}
            | ({} if title == "检验报告" else {"author": "周晓燕"})
            for n, (title, (at, text)) in enumerate(notes.items())
        ],
    }


_FORM = {"missing_part", "missing_note", "consent_missing"}
"""What the short notes lack."""


def test_a_right_stay_has_no_mark_but_of_its_form(check: Check) -> None:
    assert {one.kind for one in check(_stay()).findings} <= _FORM


@pytest.mark.parametrize(
    ("title", "old", "new", "kind"),
    [
        ("手术记录", "右侧人工", "左侧人工", "laterality"),
        ("术前小结", "克林霉素0.6g", "哌拉西林3.0g", "allergy_order"),
        ("出院小结", "16U", "46U", "dose_conflict"),
        ("日常病程记录", "60mg", "160mg", "dose_conflict"),
        ("出院小结", "12-14", "拟12-34", "impossible_date"),
    ],
)
def test_a_slip_is_found(check: Check, title: str, old: str, new: str, kind: str) -> None:
    assert kind in {one.kind for one in check(_stay(title, old, new)).findings}


def test_an_operation_that_one_note_alone_knows(check: Check) -> None:
    data = _stay("出院小结", "切口Ⅰ/甲", "右侧肺癌术后")
    known = [n for n in data["notes"] if n["title"] in ("入院记录", "检验报告", "出院小结")]
    found = check({**data, "notes": known}).findings
    assert [one.message for one in found if one.kind == "stated_conflict"] == [
        "出院小结（11月14日）写“右侧肺癌术后”，其他文书没有这一手术史或疾病。"
    ]
