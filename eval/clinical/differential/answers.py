"""``answers.jsonl``: what every member named in every case, so that others can score it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.whole_file import whole
from eval.clinical.differential.cases import DiagnosisCase
from eval.clinical.differential.measure import Measured
from eval.clinical.differential.members import Candidate
from eval.clinical.differential.names import Names

ANSWERS = "answers.jsonl"
DEEP = 10


def write_answers(
    path: Path, cases: Sequence[DiagnosisCase], measured: Sequence[Measured], names: Names
) -> None:
    """One line a case and member, in the order of the cases."""
    # Cases may be of patients.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with whole(path) as partial, partial.open("w", encoding="utf-8") as file:
        for row in _rows(cases, measured, names):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _rows(
    cases: Sequence[DiagnosisCase], measured: Sequence[Measured], names: Names
) -> Iterator[dict[str, Any]]:
    for case in cases:
        for member in measured:
            answer = member.answers[case.id]
            row: dict[str, Any] = {
                "id": case.id,
                "gold": list(case.gold),
                "member": member.member,
                "ranked": [_candidate(one, names) for one in answer.ranked[:DEEP]],
                "critical": list(answer.critical),
            }
            if answer.rare:
                row["rare"] = [one[0] for one in answer.rare]
            if answer.problem:
                row["problem"] = answer.problem
            yield row


def _candidate(one: Candidate, names: Names) -> dict[str, Any]:
    """The candidate with the other names and the codes that the base gives."""
    known = names.disease(one.name)
    return {
        "name": one.name,
        "aliases": list(one.aliases or (known.aliases if known else ())),
        "icd10": list(one.icd10 or (known.icd10 if known else ())),
        "probability": one.probability,
    }
