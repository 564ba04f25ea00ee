"""Left and right: the side of what was operated or diagnosed is one in the whole record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from assistant.grounding.segments import Scope
from assistant.grounding.sides import sides
from assistant.record.evidence import TextSpan
from assistant.record.operation import LATERALITY_ZH
from assistant.tasks.record_qc.chart import HISTORY, Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.rules import Rules

_WELL = re.compile(
    r"正常|健侧|对侧|通畅|阴性|(?<![不])清(?!创)|未见|无(?!力|菌)|[(（]-[)）]|陈旧|既往|术后\d|年前|曾|5级|Ⅴ级|同前|较[左右]"
    r"|余|放射(?!冠)|向[左右]|偏|取|卧位|侧卧|穿刺|鞘|置管|输液|入路|静脉(?:港|通路|留置)|测血压|上臂|桡动脉|股动脉|对照|比[左右]|双侧"
)
_DONE = re.compile(r"偏瘫|骨折|切除|置换|术(?![后前中者区野式])")
_SAME = {"左": "右", "右": "左"}
_EMPTY = frozenset({"", "患", "健", "旋", "手利"})


@dataclass(frozen=True, slots=True)
class _Said:
    """A side of a part at a place; ``rank``: rows of operations and diagnoses tell most."""

    side: str
    part: str
    place: TextSpan
    where: str
    note: str


def check_sides(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``laterality``."""
    themes = _themes(chart)
    if not themes:
        return
    said = [replace(s, part=_root(s.part)) for page in chart.pages for s in _of_page(page)]
    themes = [replace(t, part=_root(t.part)) for t in themes]
    reported: set[tuple[str, int]] = set()
    for theme in themes:
        alike = [s for s in said if _is_like(s.part, theme.part)]
        own = {s.note for s in alike if s.side == theme.side} | {theme.note}
        against = [s for s in alike if s.side == _SAME[theme.side]]
        notes = {s.note for s in against}
        # A record that tells of both sides in many notes tells of two things.
        if not against or len(notes) > 2 or len(own) < len(notes):
            continue
        mine = {(s.note, s.part) for s in alike if s.side == theme.side}
        for one in against:
            key = (one.note, one.place.start)
            if key in reported or (
                (one.note, one.part) in mine and not _DONE.search(one.place.quote)
            ):
                continue
            reported.add(key)
            yield Found(
                "laterality",
                f"{theme.where}为{theme.side}侧（“{theme.place.quote[:30]}”），{one.where}写为{one.side}侧。",
                [one.place, theme.place],
            )


def check_minority(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``laterality`` where one note alone tells of the other side than several others do."""
    said = [replace(one, part=_root(one.part)) for page in chart.pages for one in _of_page(page)]
    for part in dict.fromkeys(s.part for s in said if _is_part(s.part)):
        notes = {
            side: {s.note for s in said if s.part == part and s.side == side} for side in "左右"
        }
        for side, other in _SAME.items():
            alone = notes[other] - notes[side]
            if len(notes[side]) < _MANY or len(notes[other]) != 1 or not alone:
                continue
            odd = next(s for s in said if s.part == part and s.side == other)
            most = next(s for s in said if s.part == part and s.side == side)
            yield Found(
                "laterality",
                f"{odd.where}写“{odd.place.quote}”，其余文书均为{side}侧。",
                [odd.place, most.place],
            )


_LIMBS = frozenset("足手膝眼肩髋踝腕肘耳腿臂")
"""One sign names a part of which there are two."""


def _root(part: str) -> str:
    """足第 (第一跖趾关节) and 足无 (疼痛) are both of a foot."""
    return part[:1] if part[:1] in _LIMBS else part


def _is_part(part: str) -> bool:
    return part in _LIMBS or (len(part) == 2 and part not in _EMPTY)


_MANY = 3
"""So many notes that tell of one side are the record's; one that tells of the other is a slip."""


def _themes(chart: Chart) -> list[_Said]:
    """The sides of operations and diagnoses."""
    found = []
    encounter = chart.encounter
    for number, operation in enumerate(encounter.operations):
        place = chart.row("operations", number)
        named = [s for s in sides(operation.name) if s.side in _SAME]
        found += [_Said(s.side, _part(s.part), place[0], "手术", "table") for s in named if place]
        if not named and operation.laterality in ("left", "right") and place:
            side = LATERALITY_ZH[operation.laterality][0]
            part = re.sub(r"(?:腹腔镜|胸腔镜|关节镜|超声引导)?下?", "", operation.name)[:2]
            found.append(_Said(side, part, place[0], "手术", "table"))
    for number, diagnosis in enumerate(encounter.diagnoses):
        if re.search(r"陈旧|术后|史", diagnosis.name):
            continue
        place = chart.row("diagnoses", number)
        found += [
            _Said(s.side, _part(s.part), place[0], "诊断", "table")
            for s in sides(diagnosis.name)
            if s.side in _SAME and place
        ]
        found += [
            _Said(s.side, organ, place[0], "诊断", "table")
            for s in sides(diagnosis.name)
            for name, organ in _ORGANS.items()
            if s.side in _SAME and place and name in diagnosis.name
        ]
    if not (encounter.operations or encounter.diagnoses):
        found += _told_themes(chart)
    return [t for t in found if t.part not in _EMPTY]


def _told_themes(chart: Chart) -> Iterator[_Said]:
    """Of a stay without rows: the side that the first note with it gives to what was broken, is
    operated, or is palsied."""
    seen: set[str] = set()
    for page in chart.pages:
        for one in _of_page(page):
            clause = page.clause_at(one.place.start)
            if clause is None or one.part in seen or not _DONE.search(clause.text):
                continue
            seen.add(one.part)
            yield one


_ORGANS = {"气胸": "肺", "血胸": "肺", "胸腔积液": "胸", "输尿管": "肾", "肺炎": "肺"}
"""What the notes speak of where a diagnosis names the illness."""


def _of_page(page: Page) -> Iterator[_Said]:
    for clause in page.clauses:
        if clause.scope is Scope.PRIOR or clause.section in HISTORY:
            continue
        if {"family", "thought", "undone"} & clause.stances:
            continue
        for side in sides(clause.text):
            if side.side not in _SAME:
                continue
            # What is told of the other side as well: 较左侧, 左侧正常.
            if _WELL.search(clause.text) and not re.search(_DONE, clause.text):
                continue
            start = clause.start + side.start
            place = page.span(start, min(clause.end, clause.start + side.end + 8))
            yield _Said(side.side, _part(side.part), place, page.name, page.note.id)


_WRITTEN = {"肺下": "下肺", "肺上": "上肺", "肺中": "中肺"}


def _part(part: str) -> str:
    return _WRITTEN.get(part[:2], part[:2])


def _is_like(one: str, two: str) -> bool:
    return bool(one and two) and (one == two or (len(one) == 1 and two.startswith(one))
                                  or (len(two) == 1 and one.startswith(two)))  # fmt: skip


def check_row_sides(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``laterality`` between the rows: admission against discharge, diagnosis against operation."""
    themes = _themes(chart)
    for n, one in enumerate(themes):
        for other in themes[:n]:
            if other.part and _is_like(one.part, other.part) and one.side != other.side:
                yield Found(
                    "laterality",
                    f"“{other.place.quote}”与“{one.place.quote}”侧别不一致。",
                    [one.place, other.place],
                )
                return
    for number, operation in enumerate(chart.encounter.operations):
        named = {s.side for s in sides(operation.name)} & set(_SAME)
        row = operation.laterality
        if row in ("left", "right") and named and named != {LATERALITY_ZH[row][0]}:
            yield Found(
                "laterality",
                f"手术“{operation.name}”与登记侧别（{LATERALITY_ZH[row]}）不一致。",
                chart.row("operations", number),
            )
