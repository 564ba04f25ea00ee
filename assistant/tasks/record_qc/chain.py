"""An encounter → findings and a score."""

from __future__ import annotations

import time
from collections.abc import Iterable

from assistant.record.encounter import Encounter
from assistant.tasks.record_qc.chart import Chart, PageCache
from assistant.tasks.record_qc.checks.all import CHECKS
from assistant.tasks.record_qc.draft import QcFinding, QcReport
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.rules import Rules
from assistant.tasks.record_qc.score import score
from assistant.tasks.structuring.pipeline import Structurer

_ORDER = {"critical": 0, "warning": 1, "info": 2}


def inspect(
    encounter: Encounter,
    structurer: Structurer,
    rules: Rules,
    cache: PageCache | None = None,
) -> QcReport:
    """What the checks find in an encounter, the worst first, and what it costs.

    Any encounter is fine; one without notes gets what can be told of its rows.
    """
    started = time.perf_counter()
    chart = Chart(encounter, structurer, cache)
    found = [one for check in CHECKS for one in check(chart, rules)]
    findings = _graded(found, rules)
    total, grade = score(findings, rules)
    return QcReport(
        findings=findings,
        score=total,
        grade=grade,
        rules=f"{rules.name}@{rules.version}",
        knowledge_version=structurer.knowledge_version,
        skipped=rules.off(),
        seconds=time.perf_counter() - started,
    )


def _graded(found: Iterable[Found], rules: Rules) -> list[QcFinding]:
    kept: dict[tuple[str, str], Found] = {}
    for one in found:
        rule = rules.kinds.get(one.kind)
        if rule is not None and rule.enabled:
            kept.setdefault((one.kind, one.message), one)
    ordered = sorted(kept.values(), key=lambda f: _ORDER[rules.kinds[f.kind].severity])
    return [
        QcFinding(
            id=f"q{number}",
            kind=one.kind,
            title=rules.kinds[one.kind].title,
            severity=rules.kinds[one.kind].severity,
            message=one.message,
            settle=rules.kinds[one.kind].settle,
            points=rules.kinds[one.kind].points,
            evidence=list(dict.fromkeys(one.evidence)),
        )
        for number, one in enumerate(ordered, 1)
    ]
