"""A record → its alerts, the worst first."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from assistant.alerts.alert import Alert, AlertSource
from assistant.alerts.chart import Chart
from assistant.alerts.facts import Facts
from assistant.alerts.matching import ways
from assistant.alerts.rule import Moment, Rule
from assistant.alerts.way import Way
from assistant.record.encounter import Encounter
from assistant.record.page_boxes import add_boxes

if TYPE_CHECKING:
    from knowledge.clinical.base import ClinicalBase

logger = logging.getLogger("bedside.assistant.alerts")
_ORDER = {"critical": 0, "warning": 1, "info": 2}


def alerts_of(
    encounter: Encounter,
    rules: Mapping[str, Rule],
    *,
    moment: Moment | None = None,
    drafts: Collection[str] = (),
    base: ClinicalBase | None = None,
    chart: Chart | None = None,
) -> list[Alert]:
    """What the rules say of a record at a moment (None: at any).

    ``drafts`` are the ids of medication rows that are about to be ordered: only what is about one
    of these is then said.  ``base`` is the clinical base that is open; without one the shipped
    entries are read.  ``chart`` is what was read of the record before, see `Facts`.  A rule that
    fails is left out and named in the log.
    """
    facts = Facts(encounter, drafts=drafts, base=base, chart=chart)
    found: list[Alert] = []
    for rule in rules.values():
        if moment is not None and moment not in rule.moments:
            continue
        # Most rules are about drugs that nobody has ordered, or not now.
        if not all(map(facts.gives, rule.needs)) or (drafts and not _is_about(rule, facts)):
            continue
        try:
            held = list(ways(rule, facts))
        except Exception as error:
            logger.error("alert rule %s failed: %s", rule.id, type(error).__name__)
            continue
        for way in held:
            rows = [drug.row.id for drug in way.drugs if drug.row is not None]
            if not drafts or set(rows) & set(drafts):
                found.append(_alert(rule, way, rows))
    for alert in found:
        add_boxes(alert, encounter.observations)
    return sorted(found, key=lambda alert: _ORDER[alert.severity])


def _is_about(rule: Rule, facts: Facts) -> bool:
    """Whether a rule may speak of one of the drugs that are about to be ordered."""
    return rule.checks_drugs or any(not facts.drafted.isdisjoint(need) for need in rule.needs)


def _alert(rule: Rule, way: Way, rows: list[str]) -> Alert:
    key = hashlib.sha256("\x1f".join([rule.id, *sorted(way.key)]).encode()).hexdigest()[:24]
    return Alert(
        id=f"{rule.id}:{key[:8]}",
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        message=rule.message.format_map(_Words(way.words)),
        settle=rule.settle,
        source=AlertSource(name=rule.source.name, year=rule.source.year),
        question=rule.question,
        interruptive=rule.is_interruptive,
        evidence=list(dict.fromkeys(way.evidence)),
        drugs=rows,
        key=key,
    )


class _Words(dict[str, str]):
    """A word that a way does not have is left as it is named."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
