"""Quality control of a note as it is saved: the alerts of the card that comes with it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from assistant.alerts.alert import Alert, AlertSource
from assistant.record.encounter import Encounter
from assistant.record.evidence import TextSpan
from assistant.record.page_boxes import add_boxes
from assistant.tasks.record_qc.draft import QcFinding
from assistant.tasks.record_qc.record import CheckedEncounter
from assistant.tasks.record_qc.rules import read_rules
from assistant.tasks.record_qc.run import inspected, lexical_structurer
from assistant.tasks.structuring.pipeline import Structurer

MOST = 5
"""A card each: more are for the page."""

_SOURCE = AlertSource(name="病历质控规则集 (record QC rule set)", year=2026)


def alerts_of_note(encounter: Encounter, note_id: str, home: Path) -> list[Alert]:
    """The findings that stand in the note which is saved, the worst first.

    What is missing or late elsewhere in the stay is not about this note, and what the hospital
    system adds on saving (signature, time) is not missing yet.  None interrupts.
    Raises `Refused` where the hospital's rule set cannot be read.
    """
    stay = CheckedEncounter.model_validate(encounter.model_dump())
    report = inspected(stay, _structurer(), home)
    add_boxes(report, stay.observations)
    kinds = read_rules(home).kinds
    here = [
        one
        for one in report.findings
        if kinds[one.kind].at_save and any(place.note_id == note_id for place in _spans(one))
    ]
    return [_alert(one, encounter.id) for one in here[:MOST]]


@cache
def _structurer() -> Structurer:
    return lexical_structurer()


def _alert(finding: QcFinding, encounter_id: str) -> Alert:
    facts = [encounter_id, finding.kind, finding.message, *(p.quote for p in _spans(finding))]
    key = hashlib.sha256("\n".join(facts).encode()).hexdigest()
    return Alert(
        id=f"qc-{key[:16]}",
        rule=f"qc.{finding.kind}",
        title=finding.title,
        severity=finding.severity,
        message=f"{finding.title}：{finding.message}",
        settle=finding.settle,
        source=_SOURCE,
        evidence=finding.evidence,
        key=key,
    )


def _spans(finding: QcFinding) -> list[TextSpan]:
    """Where a finding stands in texts."""
    return [place for place in finding.evidence if isinstance(place, TextSpan)]
