"""``bedside qc FILE``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from assistant.commands.progress import console
from assistant.commands.work import File, Patient, drafts_of, encounter_of, load
from assistant.tasks.record_qc.record import CheckedEncounter
from assistant.tasks.record_qc.task import QcRequest, RecordQc

_STYLES = {"critical": "red", "warning": "yellow", "info": "dim"}
_SEVERITY_ZH = {"critical": "严重", "warning": "一般", "info": "提示"}


def qc(
    file: File,
    patient: Patient = "pat-cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Quality control of an encounter (JSON as in the API): findings with their places, score."""
    encounter = encounter_of(load(file), patient, CheckedEncounter)
    for report in drafts_of(RecordQc.kind, QcRequest(encounter=encounter)):
        if as_json:
            print(json.dumps(report, ensure_ascii=False, indent=1))
        else:
            _show(report)


def _show(report: dict[str, Any]) -> None:
    console.rule(f"病历质控 {report['score']:g} 分（{report['grade']}级）")
    for finding in report["findings"]:
        style = _STYLES[finding["severity"]]
        console.print(
            f"[{_SEVERITY_ZH[finding['severity']]}] {finding['title']}：{finding['message']}",
            style=style,
            markup=False,
            highlight=False,
        )
        for place in finding["evidence"][:2]:
            console.print(f"    {place['note_id']}：{place['quote'][:60]}", markup=False)
        console.print(f"    → {finding['settle']}", markup=False, style="dim")
    if not report["findings"]:
        console.print("没有发现问题。(No findings.)")
