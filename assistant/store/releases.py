"""Which imaging tasks' results may be filled in: off until a named administrator says otherwise.

A switch counts only as the audit has it: a row that was put into the table from outside, or one
whose successor was taken out of it, switches nothing on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.access import page_size
from assistant.store.audit import Audit
from assistant.store.column_types import storable
from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.errors import InvalidArgument
from assistant.store.identifier import new_id
from assistant.store.models.release import TaskReleaseRow

SWITCHER = "admin"
"""The role under which who switches stands in the audit."""

ON, OFF = "task_release.on", "task_release.off"
MAX_REASON = 2_000
_OBJECT = "task_release"


@dataclass(frozen=True, slots=True)
class Release:
    """That somebody switched a task on or off, when and why."""

    kind: str
    is_on: bool
    switched_by: str
    reason: str
    created_at: datetime


class Releases:
    """The switches of the store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def switch(self, kind: str, is_on: bool, *, by: str, reason: str) -> Release:
        """Switch the results of a task on or off for filling in.

        Raises `InvalidArgument` without a name or a reason.
        """
        if not by.strip() or not reason.strip():
            raise InvalidArgument(
                "请写明由谁（姓名）和为什么开启或关闭。"
                "(Say who switches it, by name, and why: --by, --reason.)"
            )
        if len(reason) > MAX_REASON:
            raise InvalidArgument(f"理由超过 {MAX_REASON} 字。(The reason is too long.)")
        context = Context.operator(by.strip(), SWITCHER)
        with self._database.write() as session:
            row = TaskReleaseRow(
                id=new_id(),
                kind=kind,
                is_on=is_on,
                switched_by=storable(by.strip()),
                reason=storable(reason.strip()),
                created_at=self._database.clock(),
            )
            session.add(row)
            action = ON if is_on else OFF
            self._audit.append(session, context, action, _OBJECT, kind, _content(row))
            return _shown(row)

    def list(self, limit: int = 100) -> Sequence[Release]:
        """What was ever switched, newest first."""
        query = select(TaskReleaseRow).order_by(TaskReleaseRow.id.desc()).limit(page_size(limit))
        with self._database.read() as session:
            return [_shown(row) for row in session.scalars(query)]

    def get(self, kind: str) -> Release | None:
        """The switch of a task that is on; None where it is off."""
        query = (
            select(TaskReleaseRow)
            .where(TaskReleaseRow.kind == kind)
            .order_by(TaskReleaseRow.id.desc())
            .limit(1)
        )
        with self._database.read() as session:
            row = session.scalars(query).first()
            if row is None or not row.is_on or not self._vouched(session, row):
                return None
            return _shown(row)

    def _vouched(self, session: Session, row: TaskReleaseRow) -> bool:
        """Whether the newest that the audit has of this task is this row."""
        rows = self._audit.about(session, _OBJECT, row.kind)
        return bool(rows) and rows[-1].action == ON and self._audit.is_of(rows[-1], _content(row))


def _content(row: TaskReleaseRow) -> list[Any]:
    return [row.kind, row.is_on, row.switched_by, row.reason, row.created_at.isoformat()]


def _shown(row: TaskReleaseRow) -> Release:
    return Release(row.kind, row.is_on, row.switched_by, row.reason, row.created_at)
