"""The outcomes of a table: classes, or times and events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assistant.tasks.radiomics.cohort.cells import Cells
from assistant.tasks.radiomics.cohort.outcome import Flags, Outcome, Whole
from assistant.tasks.radiomics.cohort.refusal import CohortRefused
from assistant.tasks.radiomics.cohort.roles import Roles, column_text, place_of
from assistant.tasks.radiomics.cohort.settings import CohortSettings, outer_count

_MOST_CLASSES = 10
_YES = frozenset(("1", "true", "yes", "y", "是", "有", "死亡", "复发"))
_NO = frozenset(("0", "false", "no", "n", "否", "无", "存活", "未复发"))


@dataclass(frozen=True)
class Excluded:
    """Cases that were left out, and why (Chinese)."""

    why: str
    cases: int


def read_classes(
    cells: Cells, roles: Roles, settings: CohortSettings, excluded: list[Excluded]
) -> tuple[tuple[Whole, Outcome], str]:
    """((rows whose class is known, their classes), the positive class).

    Raises:
        CohortRefused: there are not two classes, or it is not said which of them to find.
    """
    values = column_text(cells, roles.outcome)
    kept = np.array([row for row, value in enumerate(values) if value], dtype=np.int64)
    if len(kept) < len(values):
        excluded.append(Excluded("结局缺失", len(values) - len(kept)))
    classes = sorted({value for value in values if value})
    if len(classes) < 2:
        raise CohortRefused(
            f"结局列“{roles.outcome}”只有 {len(classes)} 类：建立模型需要两类病例，请检查该列。"
            f"(The outcome has {len(classes)} class; two are needed.)"
        )
    if len(classes) > _MOST_CLASSES:
        raise CohortRefused(
            f"结局列“{roles.outcome}”有 {len(classes)} 个不同的值，像是测量值而不是类别："
            "请先分为两类；若是生存时间，请用 --time 和 --event。"
            "(The outcome looks like a measurement: make it two classes, or use --time, --event.)"
        )
    if settings.positive and settings.positive not in classes:
        raise CohortRefused(
            f"结局列没有类别“{settings.positive}”：请改 --positive。(No such class.)"
        )
    if len(classes) > 2 and not settings.positive:
        raise CohortRefused(
            f"结局列“{roles.outcome}”有 {len(classes)} 类：请用 --positive 指明要预测的一类，"
            "其余合为另一类。(More than two classes: name the one to be found by --positive.)"
        )
    positive = settings.positive or _positive(classes)
    event: Flags = np.array([values[row] == positive for row in kept], dtype=bool)
    return (kept, Outcome(event)), positive


def _positive(classes: list[str]) -> str:
    """Of two classes the one that says yes, else the later in order."""
    said = [name for name in classes if name.lower() in _YES]
    return said[0] if len(said) == 1 else classes[-1]


def read_survival(cells: Cells, roles: Roles, excluded: list[Excluded]) -> tuple[Whole, Outcome]:
    """(rows whose follow-up is known, their times and events).

    Raises:
        CohortRefused: a time or an event cannot be read.
    """
    place = place_of(cells, roles.time)
    if text := cells.texts.get(place):
        lines = "、".join(str(cells.lines[row]) for row in sorted(text)[:5])
        raise CohortRefused(
            f"时间列“{roles.time}”在文件第 {lines} 行是文字：请改为数字（如天数）或留空。"
            f"(The time column has text on lines {lines}.)"
        )
    time = cells.numbers[:, place]
    if (time < 0).any():
        raise CohortRefused(
            f"时间列“{roles.time}”有负数：请检查起止日期。(The time column has negative numbers.)"
        )
    said = [value.lower() for value in column_text(cells, roles.event)]
    if wrong := [row for row, value in enumerate(said) if value and value not in _YES | _NO]:
        lines = "、".join(str(cells.lines[row]) for row in wrong[:5])
        raise CohortRefused(
            f"事件列“{roles.event}”只能是 1（发生）或 0（未发生），文件第 {lines} 行不是，请改正。"
            f"(The event column is 1 or 0; not so on lines {lines}.)"
        )
    known = np.array([bool(value) for value in said]) & np.isfinite(time)
    if not known.all():
        excluded.append(Excluded("时间或事件缺失", int((~known).sum())))
    begun = known & (time > 0)
    if (known & ~begun).any():
        excluded.append(Excluded("随访时间为零", int((known & ~begun).sum())))
    kept: Whole = np.flatnonzero(begun).astype(np.int64)
    event = np.array([said[row] in _YES for row in kept], dtype=bool)
    return kept, Outcome(event, time[kept])


def check_size(outcome: Outcome, settings: CohortSettings) -> None:
    """Every outer and inner fold needs cases of both kinds, to learn from and to be tested on."""
    yes, no = int(outcome.event.sum()), int((~outcome.event).sum())
    least = 2 * max(outer_count(settings, min(yes, no)), settings.inner_folds)
    enough = yes >= least and (no >= least or (outcome.is_survival and yes + no >= 2 * least))
    if not enough:
        kinds = f"发生事件 {yes} 例、删失 {no} 例" if outcome.is_survival else f"{yes} 例和 {no} 例"
        raise CohortRefused(
            f"病例太少：可用 {yes + no} 例（{kinds}），按现有折数每类至少要 {least} 例。"
            "请收集更多病例，或减少 outer_folds 和 inner_folds（最少 3）。"
            f"(Too few cases: {yes} and {no}; at least {least} of each are needed.)"
        )
