"""Hints at rare diseases: named where one is the diagnosis, silent elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from eval.clinical.differential.cases import DiagnosisCase
from eval.clinical.differential.measure import Measured
from eval.clinical.mean import mean
from eval.clinical.proportion import share
from eval.clinical.result import Figure, Table
from knowledge.rare.tables import stem
from knowledge.text.folding import fold

KIND = "rare"
_GROUP = "罕见病提示 Hints at rare diseases"


def is_named(names: Sequence[str], case: DiagnosisCase) -> bool:
    """Whether a hint of these names is the gold: by a name, or as a kind of it (type, number)."""
    gold = {form for name in case.names for form in (fold(name), stem(name))}
    return any(form in gold for name in names for form in (fold(name), stem(name)))


def hinted(cases: Sequence[DiagnosisCase], measured: Measured) -> list[Figure]:
    """Recall among the three hints of rare cases, and how often the others are hinted at wrongly;
    nothing where no case is rare and none is hinted at."""
    rare = [case for case in cases if case.kind == KIND]
    others = [case for case in cases if case.kind != KIND]
    figures = []
    if rare:
        hits = {case.id: (_hit(case, measured), 1) for case in rare}
        figures.append(share("罕见病例在三条提示内 recall in three", hits, group=_GROUP))
        false = [float(_false(case, measured)) for case in rare]
        figures.append(mean("罕见病例每例其他提示数 others a rare case", false, group=_GROUP))
    false = [float(_false(case, measured)) for case in others]
    if any(false) or (rare and others):
        figures.append(mean("非罕见病例每例误提示数 false hints a case", false, group=_GROUP))
        spoke = {case.id: (int(_false(case, measured) > 0), 1) for case in others}
        figures.append(share("非罕见病例误发声 other cases with a false hint", spoke, group=_GROUP))
    return figures


def misses(cases: Sequence[DiagnosisCase], measured: Measured) -> list[Table]:
    """Rare cases that no hint names, and what is hinted at wrongly elsewhere."""
    rows = [
        [case.id, case.gold[0], "、".join(names[0] for names in measured.answers[case.id].rare)]
        for case in cases
        if (case.kind == KIND and not _hit(case, measured))
        or (case.kind != KIND and _false(case, measured))
    ]
    if not rows:
        return []
    return [
        Table(
            title="罕见病提示：未中与误提示 Rare diseases missed and hinted at wrongly",
            columns=["病例 case", "标准 gold", "提示 hints"],
            rows=rows,
        )
    ]


def _hit(case: DiagnosisCase, measured: Measured) -> int:
    return int(any(is_named(names, case) for names in measured.answers[case.id].rare))


def _false(case: DiagnosisCase, measured: Measured) -> int:
    return sum(not is_named(names, case) for names in measured.answers[case.id].rare)
