"""A hundred points less what the findings cost, each kind up to its most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from assistant.tasks.record_qc.draft import Grade, QcFinding
from assistant.tasks.record_qc.rules import Rules


def score(findings: Iterable[QcFinding], rules: Rules) -> tuple[float, Grade]:
    """The points that are left, and the grade that the rule set gives for them."""
    lost: dict[str, float] = defaultdict(float)
    for one in findings:
        lost[one.kind] += one.points
    total = max(0.0, 100 - sum(min(cost, rules.kinds[kind].most) for kind, cost in lost.items()))
    return round(total, 1), grade_of(total, rules)


def grade_of(total: float, rules: Rules) -> Grade:
    """甲, 乙 or 丙."""
    for name, least in sorted(rules.grades.items(), key=lambda row: -row[1]):
        if total >= least:
            return name
    return "丙"
