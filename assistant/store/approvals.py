"""Approvals for clinical use: given and taken back by name, on the record of a run.

An approval counts only while the audit vouches for it: a row that was put into the table from
outside is passed over, and one whose revocation was taken out of it stays revoked.
Monitoring may return one, which then counts for nothing until a person, by name, gives it again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.access import page_size
from assistant.store.audit import Audit
from assistant.store.column_types import storable, storable_json
from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.errors import ApprovalNotFound, InvalidArgument
from assistant.store.identifier import is_id, new_id
from assistant.store.models.approval import ApprovalRow, ApprovalStepRow, RevocationRow

log = logging.getLogger("bedside.assistant.store")

APPROVER = "approver"
"""The role under which an approver stands in the audit."""

APPROVED, REVOKED = "approval.approve", "approval.revoke"
RETURNED, REINSTATED = "approval.return", "approval.reinstate"
WATCH = Context.operator("monitoring", "system")
"""Who returns an approval."""
MAX_NOTE = 2_000
_CONTENT = tuple(column.name for column in ApprovalRow.__table__.columns if column.name != "id")
OUTDATED = (
    "批准现在涵盖引擎运行的全部选项，此批准早于此，已不适用；请重新批准。(It was given before "
    "approvals were for all options that an engine runs with; it holds for nothing: approve again.)"
)


@dataclass(frozen=True, slots=True)
class Step:
    """That an approval was returned, or given again (``reinstated``), and why.

    ``figures``: what was measured, of a return.
    """

    step: str
    by: str
    reason: str
    figures: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval, and by whom it was revoked if it was.

    ``prompts``: name → SHA-256.  ``evidence``: what the run was, as plain data.  ``options``: name
    → value; None in an approval from before they were kept, which nothing can be held against.
    """

    id: str
    engine: str
    model: str
    engine_kind: str
    files_sha256: str
    precision: str
    kv_cache: str
    prompts: dict[str, str]
    run: str
    evidence: dict[str, Any]
    gate: str
    approved_by: str
    note: str
    created_at: datetime
    options: dict[str, str] | None = None
    revoked_by: str = ""
    revocation_reason: str = ""
    revoked_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    """Returns and what ended them, oldest first."""

    @property
    def returned(self) -> Step | None:
        """The return that still stands."""
        last = self.steps[-1] if self.steps else None
        return last if last is not None and last.step == "returned" else None

    @property
    def since(self) -> datetime:
        """From when on it counts: it was given then, or given again."""
        again = [step.created_at for step in self.steps if step.step == "reinstated"]
        return again[-1] if again else self.created_at

    @property
    def problem(self) -> str:
        """Why it cannot hold for any engine any more; empty where it can."""
        return OUTDATED if self.options is None and self.revoked_at is None else ""

    @property
    def scores(self) -> dict[str, float]:
        """The scores of the run, 0 to 100."""
        return dict(self.evidence.get("scores", {}))


class Approvals:
    """The approvals of the store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def approve(
        self,
        *,
        engine: str,
        model: str,
        engine_kind: str,
        files_sha256: str,
        precision: str,
        kv_cache: str,
        options: Mapping[str, str],
        prompts: Mapping[str, str],
        run: str,
        evidence: Mapping[str, Any],
        gate: str,
        by: str,
        note: str = "",
    ) -> Approval:
        """Keep that ``by`` approves a model that runs so because of ``run``.

        Raises `InvalidArgument` without a name, a hash of the files or a gate.
        """
        for name, value in (("by", by), ("files_sha256", files_sha256), ("gate", gate)):
            if not value.strip():
                raise InvalidArgument(f"An approval needs {name}.")
        _check_text(note)
        context = Context.operator(by.strip(), APPROVER)
        with self._database.write() as session:
            row = ApprovalRow(
                id=new_id(),
                # As the database gives them back, since the audit is bound to that.
                engine=storable(engine),
                model=storable(model),
                engine_kind=engine_kind,
                files_sha256=files_sha256,
                precision=precision,
                kv_cache=kv_cache,
                options=storable_json(dict(options)),
                prompts=dict(prompts),
                run=storable(run),
                evidence=storable_json(dict(evidence)),
                gate=storable(gate),
                approved_by=by.strip(),
                note=storable(note),
                created_at=self._database.clock(),
            )
            session.add(row)
            self._audit.append(session, context, APPROVED, "approval", row.id, _content(row))
            return _shown(row, None)

    def revoke(self, approval_id: str, *, by: str, reason: str) -> Approval:
        """Take an approval back; it ceases to count at once.

        Raises `ApprovalNotFound`; `InvalidArgument` without a name or a reason.
        """
        if not by.strip() or not reason.strip():
            raise InvalidArgument("A revocation needs the name of who revokes, and a reason.")
        _check_text(reason)
        context = Context.operator(by.strip(), APPROVER)
        with self._database.write() as session:
            row = session.get(ApprovalRow, approval_id) if is_id(approval_id) else None
            if row is None or session.get(RevocationRow, row.id) is not None:
                raise ApprovalNotFound
            revocation = RevocationRow(
                approval_id=row.id,
                revoked_by=by.strip(),
                reason=reason,
                created_at=self._database.clock(),
            )
            session.add(revocation)
            self._audit.append(session, context, REVOKED, "approval", row.id, [reason])
            return _shown(row, revocation, _steps(session, [row.id]).get(row.id, ()))

    def give_back(self, approval_id: str, reason: str, figures: Mapping[str, Any]) -> Approval:
        """Monitoring returns an approval: it ceases to count until `reinstate`.

        ``figures`` are numbers and names, never text of a patient.  Raises `ApprovalNotFound`
        where none is in force under this id.
        """
        return self._step(approval_id, WATCH, "returned", reason, figures)

    def reinstate(self, approval_id: str, *, by: str, reason: str) -> Approval:
        """A person gives a returned approval again; from now on its drafts are counted anew.

        Raises `ApprovalNotFound` where none is returned under this id; `InvalidArgument` without a
        name or a reason.
        """
        if not by.strip() or not reason.strip():
            raise InvalidArgument("恢复批准须写明姓名与理由。(A name and a reason are needed.)")
        _check_text(reason)
        context = Context.operator(by.strip(), APPROVER)
        return self._step(approval_id, context, "reinstated", reason, {})

    def _step(
        self, approval_id: str, context: Context, step: str, reason: str, figures: Mapping[str, Any]
    ) -> Approval:
        with self._database.write() as session:
            row = session.get(ApprovalRow, approval_id) if is_id(approval_id) else None
            if row is None or session.get(RevocationRow, row.id) is not None:
                raise ApprovalNotFound
            earlier = _steps(session, [row.id]).get(row.id, ())
            is_returned = bool(earlier) and earlier[-1].step == "returned"
            if is_returned == (step == "returned"):
                raise ApprovalNotFound
            made = ApprovalStepRow(
                id=new_id(),
                approval_id=row.id,
                step=step,
                by=context.actor_id,
                reason=storable(reason),
                figures=storable_json(dict(figures)),
                created_at=self._database.clock(),
            )
            session.add(made)
            action = RETURNED if step == "returned" else REINSTATED
            content = [made.reason, made.figures]
            self._audit.append(session, context, action, "approval", row.id, content)
            return _shown(row, None, (*earlier, _step_shown(made)))

    def list(self, limit: int = 100) -> Sequence[Approval]:
        """The newest first, revoked ones included."""
        query = (
            select(ApprovalRow, RevocationRow)
            .outerjoin(RevocationRow, RevocationRow.approval_id == ApprovalRow.id)
            .order_by(ApprovalRow.id.desc())
            .limit(page_size(limit))
        )
        with self._database.read() as session:
            rows = session.execute(query).all()
            steps = _steps(session, [row.id for row, _ in rows])
            return [_shown(row, taken, steps.get(row.id, ())) for row, taken in rows]

    def in_force(self) -> Sequence[Approval]:
        """Those that count: neither revoked nor returned, and vouched for by the audit; newest
        first."""
        query = (
            select(ApprovalRow)
            .outerjoin(RevocationRow, RevocationRow.approval_id == ApprovalRow.id)
            .where(RevocationRow.approval_id.is_(None))
            .order_by(ApprovalRow.id.desc())
        )
        with self._database.read() as session:
            rows = session.scalars(query).all()
            steps = _steps(session, [row.id for row in rows])
            found = [
                _shown(row, None, steps.get(row.id, ()))
                for row in rows
                if self._vouched(session, row)
            ]
            return [approval for approval in found if approval.returned is None]

    def _vouched(self, session: Session, row: ApprovalRow) -> bool:
        rows = self._audit.about(session, "approval", row.id)
        if any(found.action == REVOKED for found in rows):
            return False
        turns = [found.action for found in rows if found.action in (RETURNED, REINSTATED)]
        if turns and turns[-1] == RETURNED:
            # Also where the row that gave it again was put in past the audit.
            return False
        vouched = any(
            found.action == APPROVED and self._audit.is_of(found, _content(row)) for found in rows
        )
        if not vouched:
            log.error("approval %s is not as the audit has it and does not count", row.id)
        return vouched


def _check_text(text: str) -> None:
    if len(text) > MAX_NOTE:
        raise InvalidArgument(f"The text is longer than {MAX_NOTE} characters.")


def _content(row: ApprovalRow) -> dict[str, Any]:
    """All that the audit's row is bound to."""
    values = {name: getattr(row, name) for name in _CONTENT}
    if row.options is None:
        # The audit of an approval from before there were options is bound to what it was then.
        del values["options"]
    return values | {"created_at": row.created_at.isoformat()}


def _steps(session: Session, approval_ids: Sequence[str]) -> dict[str, tuple[Step, ...]]:
    """Approval → its steps, oldest first."""
    query = select(ApprovalStepRow).where(ApprovalStepRow.approval_id.in_(approval_ids))
    found: dict[str, tuple[Step, ...]] = {}
    for row in session.scalars(query.order_by(ApprovalStepRow.id)):
        found[row.approval_id] = (*found.get(row.approval_id, ()), _step_shown(row))
    return found


def _step_shown(row: ApprovalStepRow) -> Step:
    return Step(row.step, row.by, row.reason, row.figures, row.created_at)


def _shown(
    row: ApprovalRow, revocation: RevocationRow | None, steps: tuple[Step, ...] = ()
) -> Approval:
    values = {name: getattr(row, name) for name in _CONTENT}
    if revocation is None:
        return Approval(id=row.id, **values, steps=steps)
    return Approval(
        id=row.id,
        **values,
        revoked_by=revocation.revoked_by,
        revocation_reason=revocation.reason,
        revoked_at=revocation.created_at,
        steps=steps,
    )
