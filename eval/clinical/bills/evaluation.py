"""Figures of generated bills: by set, by layout, by what was done to the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.clinical.bills.generator.sets import SETS
from eval.clinical.bills.product import as_score
from eval.clinical.bills.score import Score
from eval.clinical.proportion import share
from eval.clinical.result import Case, ClinicalResult, Figure

MEASURES = ("characters", "fields", "amounts", "flagged", "kinds")
SCORES = tuple(f"{name}.{measure}" for name in SETS for measure in MEASURES)
_TITLES = {
    "characters": "字符 characters",
    "fields": "字段 fields F1",
    "amounts": "金额 amounts right",
    "flagged": "无未提示错误金额的票据 bills without an unflagged wrong amount",
    "kinds": "类型 kinds",
}
_CASES = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """One picture with its score."""

    id: str
    set: str
    layout: str
    wear: tuple[str, ...]
    score: Score

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Reading:
        """From what a process wrote."""
        return cls(
            content["id"], content["set"], content["layout"], tuple(content["wear"]),
            as_score(content["score"]),
        )  # fmt: skip


def _counts(measure: str, found: Score) -> tuple[int, int]:
    """(hits, cases); F1 is 2 × right / (what there is + what was read)."""
    return {
        "characters": (found.characters - found.character_errors, found.characters),
        "fields": (2 * found.fields_right, found.fields_truth + found.fields_read),
        "amounts": (found.amounts_right, found.amounts),
        "flagged": (int(not found.unflagged), 1),
        "kinds": (found.kinds_right, found.kinds),
    }[measure]


def _figure(measure: str, readings: Iterable[Reading], group: str, name: str = "") -> Figure:
    counts = {one.id: _counts(measure, one.score) for one in readings}
    return share(name or _TITLES[measure], counts, group=group)


def evaluate(readings: Sequence[Reading], *, seed: int, command: str) -> ClinicalResult:
    """The result of all that was read."""
    figures: list[Figure] = []
    scores: dict[str, float] = {}
    for name in SETS:
        mine = [one for one in readings if one.set == name]
        if not mine:
            continue
        for measure in MEASURES:
            figure = _figure(measure, mine, name)
            figures.append(figure)
            scores[f"{name}.{measure}"] = figure.value
    headline = _figure("amounts", readings, "")
    figures += _by("版式 layout", readings, lambda one: (one.layout,))
    figures += _by("干扰 wear", readings, lambda one: one.wear)
    doubts = sum(one.score.doubts for one in readings)
    cells = sum(one.score.cells for one in readings)
    return ClinicalResult(
        kind="bills",
        title="票据识别（生成的票据）Bills (generated pages)",
        headline=headline,
        scores=scores,
        figures=figures,
        cases=_cases(readings),
        notes=[
            f"页面由程序生成（种子 {seed}），并非真实票据。"
            "The pages are generated, not real bills.",
            f"需人工查看的单元格 {doubts}/{cells}。Cells that a person is asked to look at.",
        ],
        command=command,
    )


def _by(
    title: str, readings: Sequence[Reading], keys: Callable[[Reading], Sequence[str]]
) -> list[Figure]:
    """Fields, amounts and what is flagged of each key."""
    names = sorted({key for one in readings for key in keys(one)})
    return [
        _figure(measure, [r for r in readings if name in keys(r)], f"{title}: {measure}", name)
        for measure in ("fields", "amounts", "flagged")
        for name in names
    ]


def _cases(readings: Sequence[Reading]) -> list[Case]:
    """What went wrong, unflagged amounts first."""
    rows = [(one, wrong) for one in readings for wrong in one.score.wrong]
    rows.sort(key=lambda row: (row[1].flagged or not row[1].amount, not row[1].amount))
    return [
        Case(
            id=one.id,
            kind="amount" if wrong.amount else "field",
            given=f"{one.layout} {wrong.path}",
            expected=wrong.right or "",
            answer=wrong.read or "",
            note=("flagged" if wrong.flagged else "not flagged") + " " + ",".join(one.wear),
        )
        for one, wrong in rows[:_CASES]
    ]
