"""What a hospital has turned down after its reviewers dismissed it: by department and kind.

A file in the home folder, beside the hospital's own rule set.  A kind that is muted is listed under
``skipped`` of every report, one that is lowered under ``adjusted``: nothing is left out silently.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from assistant.tasks.record_qc.draft import Severity
from assistant.tasks.record_qc.rules import KindRule, Rules, RulesInvalid
from assistant.whole_file import whole

FILE = "record_qc_adjustments.yaml"
EVERYWHERE = ""
"""The department that stands for the whole hospital."""

Action = Literal["mute", "lower"]
_LOWER: dict[Severity, Severity] = {"critical": "warning", "warning": "info", "info": "info"}


class Adjustment(BaseModel):
    """One kind in one department, who turned it down and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    department: str = Field(max_length=200)
    kind: str
    action: Action
    reason: str = Field(min_length=1, max_length=500)
    by: str
    at: datetime


class CannotAdjust(ValueError):
    """A kind that cannot be turned down so; the message says why."""


_FILE = TypeAdapter(list[Adjustment])


def adjustments(home: Path) -> list[Adjustment]:
    """All of them.  Raises `RulesInvalid` for a file that cannot be read."""
    path = home / FILE
    try:
        return _FILE.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")) or [])
    except FileNotFoundError:
        return []
    except (OSError, yaml.YAMLError, UnicodeDecodeError, ValidationError) as error:
        said = " ".join(str(error).split())[:300]
        raise RulesInvalid(
            f"质控调整文件 {FILE} 不能读取，请更正：{said} (The adjustments cannot be read.)"
        ) from error


def adjust(home: Path, rules: Rules, new: Adjustment) -> None:
    """Keep an adjustment in place of what there was of its department and kind.

    Raises `CannotAdjust`: what is critical may be lowered, never muted.
    """
    rule = rules.kinds.get(new.kind)
    if rule is None:
        raise CannotAdjust(f"规则集中没有“{new.kind}”。(No such kind of finding.)")
    if new.action == "mute" and rule.severity == "critical":
        raise CannotAdjust(
            f"“{rule.title}”是严重问题，只能降级，不能静默。(A critical kind may be lowered only.)"
        )
    with _alone(home):
        others = [one for one in adjustments(home) if not _same(one, new.department, new.kind)]
        _write(home, [*others, new])


def restore(home: Path, department: str, kind: str) -> bool:
    """Take an adjustment away; False where there was none."""
    with _alone(home):
        found = adjustments(home)
        left = [one for one in found if not _same(one, department, kind)]
        if len(left) == len(found):
            return False
        _write(home, left)
        return True


def adjusted(rules: Rules, found: Sequence[Adjustment], department: str) -> tuple[Rules, list[str]]:
    """The rules as they are for a department, and the kinds that are lowered there.

    What is of the department goes before what is of the whole hospital.
    """
    by_kind = {one.kind: one for one in found if one.department == EVERYWHERE}
    by_kind |= {one.kind: one for one in found if one.department == department}
    kinds = dict(rules.kinds)
    lowered = []
    for kind, one in by_kind.items():
        # A kind that the rule set has no more is nobody's business here.
        if (rule := kinds.get(kind)) is not None and rule.enabled:
            kinds[kind] = _turned_down(rule, one.action)
            if kinds[kind].enabled:
                lowered.append(kind)
    return rules.model_copy(update={"kinds": kinds}), lowered


def _turned_down(rule: KindRule, action: Action) -> KindRule:
    """A rule that is off, or one grade lower at half of its points."""
    # The rule set may have made it critical since.
    if action == "mute" and rule.severity != "critical":
        return rule.model_copy(update={"enabled": False})
    changes = {
        "severity": _LOWER[rule.severity],
        "points": rule.points / 2,
        "most": rule.most / 2,
    }
    return rule.model_copy(update=changes)


def _same(one: Adjustment, department: str, kind: str) -> bool:
    return (one.department, one.kind) == (department, kind)


def _write(home: Path, found: Sequence[Adjustment]) -> None:
    content = yaml.safe_dump(
        [one.model_dump(mode="json") for one in found], allow_unicode=True, sort_keys=False
    )
    with whole(home / FILE) as partial:
        partial.write_text(content, encoding="utf-8")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """No other process changes the file meanwhile."""
    lock = os.open(home / f".{FILE}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
