from __future__ import annotations

import pytest

from assistant.grounding.checker import checker
from knowledge.text.finding import Finding


def _no_findings(text: str, note_id: str) -> list[Finding]:
    return []


DAYS = "3月5日急查血常规示白细胞12.3×10⁹/L。CRP 56mg/L。胸部CT示右下肺炎。3月8日复查CRP 12mg/L。"


@pytest.mark.parametrize(
    ("record", "statement", "status"),
    [
        (DAYS, "3月5日CRP 56mg/L。", "supported"),
        (DAYS, "3月8日CRP 56mg/L。", "unsupported"),
        (DAYS, "3月8日胸部CT示右下肺炎。", "unsupported"),
        ("门冬胰岛素三餐前6-8-6U。", "午餐前门冬胰岛素6U。", "unsupported"),
        ("供肾者血型A型，受者血型AB型。", "受者血型为A型。", "unsupported"),
        ("供肾者血型A型，受者血型AB型。", "受者血型AB型。", "supported"),
        ("万古霉素用药14天，美罗培南用药10天。", "万古霉素用药10天。", "unsupported"),
        ("右下腹痛18小时，加重3小时。", "右下腹痛加重18小时。", "unsupported"),
    ],
)
def test_a_value_is_of_its_day_its_meal_and_its_person(
    record: str, statement: str, status: str
) -> None:
    assert checker(record, _no_findings).check(statement).status == status
