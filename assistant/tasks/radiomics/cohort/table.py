"""The cases of a study: what is known of each, and what became of it."""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.tasks.radiomics.cohort.cells import Cells, read_cells
from assistant.tasks.radiomics.cohort.columns import Columns, LeftOut, encode, find_columns
from assistant.tasks.radiomics.cohort.outcome import Flags, Floats, Outcome, Texts, Whole
from assistant.tasks.radiomics.cohort.refusal import CohortRefused
from assistant.tasks.radiomics.cohort.settings import CohortSettings

_MOST_CLASSES = 10
_YES = frozenset(("1", "true", "yes", "y", "是", "有", "死亡", "复发"))
_NO = frozenset(("0", "false", "no", "n", "否", "无", "存活", "未复发"))


@dataclass(frozen=True)
class Roles:
    """Which column is what; empty: none."""

    outcome: str = ""
    time: str = ""
    event: str = ""
    id: str = ""
    site: str = ""

    @property
    def is_survival(self) -> bool:
        """Whether times are given."""
        return bool(self.time)

    @property
    def aside(self) -> set[str]:
        """The columns that are never features."""
        return {self.outcome, self.time, self.event, self.id, self.site} - {""}


@dataclass(frozen=True)
class Excluded:
    """Cases that were left out, and why (Chinese)."""

    why: str
    cases: int


@dataclass(frozen=True)
class Cohort:
    """``x``: cases × features, NaN where unknown.  ``sites``: empty text where none is given."""

    ids: tuple[str, ...]
    x: Floats
    outcome: Outcome
    sites: Texts
    columns: Columns
    positive: str
    read: int
    excluded: tuple[Excluded, ...]
    notes: tuple[str, ...]
    sha256: str

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features."""
        return self.columns.names

    @property
    def has_sites(self) -> bool:
        """Whether there are two sites or more."""
        return len(set(self.sites.tolist())) > 1


def read_cohort(path: Path, roles: Roles, settings: CohortSettings) -> Cohort:
    """The cases at ``path`` whose outcome is known.

    Raises:
        CohortRefused: the table cannot be used, see `cells`, `columns`; too few cases of a class.
    """
    cells = read_cells(path)
    for name in (*roles.aside, *settings.clinical, *settings.categorical):
        _place(cells, name)
    ids = _ids(cells, roles)
    columns = find_columns(cells, roles.aside | set(settings.drop), settings.categorical)
    excluded: list[Excluded] = []
    if roles.is_survival:
        outcome, positive = _survival(cells, roles, excluded), ""
    else:
        outcome, positive = _classes(cells, roles, settings, excluded)
    kept, known = outcome
    _check_size(known, settings)
    x = encode(cells, columns)[kept]
    empty = np.isnan(x).all(axis=0)
    columns = Columns(
        tuple(c for c, e in zip(columns.taken, empty, strict=True) if not e),
        columns.left_out
        + tuple(
            LeftOut(c.name, "可用病例中全部缺失")
            for c, e in zip(columns.taken, empty, strict=True)
            if e
        ),
    )
    x = x[:, ~empty]
    sites = _sites(cells, roles)[kept]
    return Cohort(
        tuple(ids[row] for row in kept),
        x,
        known,
        sites,
        columns,
        positive,
        len(cells.lines),
        tuple(excluded),
        _suspicions(x, known, columns.names),
        hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def case_ids(cells: Cells, column: str) -> list[str]:
    """What cases are called: their id, else their line.

    Raises:
        CohortRefused: an id is missing or is there twice.
    """
    return _ids(cells, Roles(id=column))


def site_names(cells: Cells, column: str) -> Texts:
    """The site of each case, empty where ``column`` is."""
    return _sites(cells, Roles(site=column))


def _place(cells: Cells, name: str) -> int:
    if name in cells.names:
        return cells.names.index(name)
    near = difflib.get_close_matches(name, cells.names, 3)
    hint = f"，相近的有：{'、'.join(near)}" if near else ""
    raise CohortRefused(
        f"表格没有列“{name}”{hint}。请按表头原样写列名。(There is no column {name!r}.)"
    )


def _column(cells: Cells, name: str) -> list[str]:
    place = _place(cells, name)
    text = cells.texts.get(place, {})
    return [
        text.get(row) or ("" if np.isnan(number) else f"{number:.15g}")
        for row, number in enumerate(cells.numbers[:, place])
    ]


def _ids(cells: Cells, roles: Roles) -> list[str]:
    if not roles.id:
        return [f"第{line}行" for line in cells.lines]
    ids = _column(cells, roles.id)
    if empty := sum(not name for name in ids):
        raise CohortRefused(
            f"编号列“{roles.id}”有 {empty} 格为空：请补全编号。({empty} ids are empty.)"
        )
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        places = [line for line, name in zip(cells.lines, ids, strict=True) if name in twice]
        shown = "、".join(map(str, places[:6]))
        raise CohortRefused(
            f"有 {len(twice)} 个编号重复（文件第 {shown} 行）：每例只能有一行，请合并或删去重复行。"
            f"({len(twice)} ids are there twice, on lines {shown}: one line a case.)"
        )
    return ids


def _sites(cells: Cells, roles: Roles) -> Texts:
    if not roles.site:
        return np.full(len(cells.lines), "", dtype="U1")
    return np.array([name or "未知" for name in _column(cells, roles.site)])


def _classes(
    cells: Cells, roles: Roles, settings: CohortSettings, excluded: list[Excluded]
) -> tuple[tuple[Whole, Outcome], str]:
    values = _column(cells, roles.outcome)
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


def _survival(
    cells: Cells, roles: Roles, excluded: list[Excluded]
) -> tuple[Whole, Outcome]:
    place = _place(cells, roles.time)
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
    said = [value.lower() for value in _column(cells, roles.event)]
    if wrong := [row for row, value in enumerate(said) if value and value not in _YES | _NO]:
        lines = "、".join(str(cells.lines[row]) for row in wrong[:5])
        raise CohortRefused(
            f"事件列“{roles.event}”只能是 1（发生）或 0（未发生），文件第 {lines} 行不是。"
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


def _check_size(outcome: Outcome, settings: CohortSettings) -> None:
    """Every outer and inner fold needs cases of both kinds, to learn from and to be tested on."""
    least = 2 * max(settings.outer_folds, settings.inner_folds)
    yes, no = int(outcome.event.sum()), int((~outcome.event).sum())
    enough = yes >= least and (no >= least or (outcome.is_survival and yes + no >= 2 * least))
    if not enough:
        kinds = f"发生事件 {yes} 例、删失 {no} 例" if outcome.is_survival else f"{yes} 例和 {no} 例"
        raise CohortRefused(
            f"病例太少：可用 {yes + no} 例（{kinds}），按现有折数每类至少要 {least} 例。"
            "请收集更多病例，或减少 outer_folds 和 inner_folds（最少 3）。"
            f"(Too few cases: {yes} and {no}; at least {least} of each are needed.)"
        )


def _suspicions(x: Floats, outcome: Outcome, names: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that alone tell the outcome apart: most often written after it was known."""
    if outcome.is_survival:
        return ()
    yes, no = x[outcome.event], x[~outcome.event]
    with np.errstate(invalid="ignore"):
        apart = (np.nanmin(_filled(yes, np.inf), axis=0) > np.nanmax(_filled(no, -np.inf), axis=0))
        apart |= np.nanmax(_filled(yes, -np.inf), axis=0) < np.nanmin(_filled(no, np.inf), axis=0)
    known = np.isfinite(x).mean(axis=0) > 0.5
    return tuple(
        f"列“{names[place]}”单独就能把两类完全分开，可能是结局之后才有的信息，请核对。"
        for place in np.flatnonzero(apart & known)[:10]
    )


def _filled(x: Floats, value: float) -> Floats:
    return np.where(np.isnan(x), value, x)
