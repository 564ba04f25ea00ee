"""Stays and defects in words that whoever wrote the checks had not seen; half of the defects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import strangers_stays as strangers

from assistant.tasks.record_qc.draft import QcReport

SETS = {name: strangers.read(name) for name in ("strangers_stays", "strangers_stays_second")}
STAYS = {key: stay for read in SETS.values() for key, stay in read["stays"].items()}
DEFECTS = [d for read in SETS.values() for d in read["defects"][::2] if not d.get("missed")]
Check = Callable[..., QcReport]


@pytest.mark.parametrize("key", STAYS)
def test_a_clean_stay_has_no_finding(check: Check, key: str) -> None:
    report = check(strangers.encounter(key, STAYS[key]))
    assert [(one.kind, one.message) for one in report.findings] == []


@pytest.mark.parametrize("defect", DEFECTS, ids=[f"{d['of']}-{d['kind']}" for d in DEFECTS])
def test_a_defect_is_found(check: Check, defect: dict[str, Any]) -> None:
    stay = strangers.changed(STAYS[defect["of"]], defect)
    report = check(strangers.encounter(defect["of"], stay))
    assert defect["kind"] in {one.kind for one in report.findings}
