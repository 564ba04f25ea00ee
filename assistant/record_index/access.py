"""Who may search what: roles, and groups of notes beside those of the whole hospital."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from assistant.record_index.errors import NotAllowed
from assistant.record_index.query import OfPatient, Query, leaves
from assistant.store import Context, Store
from assistant.store.context import check_id
from assistant.store.record_rows import RecordGrantRow

SEARCH_ROLES = frozenset({"doctor", "nurse", "pharmacist"})
"""May search over patients; a student sees the patients that somebody shows."""

IDENTIFIED_ROLES = frozenset({"doctor"})
"""May see who a patient of a cohort is."""

HOSPITAL = ""
"""The group of the notes that all who may search see."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who searches; ``groups`` None: an administrator at the machine itself, who sees all."""

    context: Context
    groups: tuple[str, ...] | None


def caller_of(store: Store, actor_id: str, role: str, *, identified: bool = False) -> Caller:
    """The caller with its groups.  Raises `NotAllowed`."""
    if role not in SEARCH_ROLES:
        raise NotAllowed("该角色不能检索病历。(Only doctors, nurses and pharmacists may search.)")
    if identified and role not in IDENTIFIED_ROLES:
        raise NotAllowed("只有医师可以查看未去标识的结果。(Only doctors may see who it is.)")
    query = select(RecordGrantRow.access).where(RecordGrantRow.actor_id == actor_id)
    with store.database.read() as session:
        groups = tuple(session.scalars(query))
    return Caller(Context(actor_id, role, ""), (HOSPITAL, *groups))


def check_query(caller: Caller, tree: Query, *, identified: bool) -> None:
    """Who is not shown who it is cannot ask for one patient either.  Raises `NotAllowed`."""
    by_name = any(isinstance(leaf, OfPatient) for leaf, _ in leaves(tree))
    if by_name and not identified and caller.groups is not None:
        raise NotAllowed(
            "按患者编号检索时，请选择显示身份（仅医师）。"
            "(To search by patient ask for identified results; doctors only.)"
        )


def grant(store: Store, actor_id: str, access: str, by: Context) -> None:
    """Let an actor search a group.  Raises `InvalidArgument` for a name that cannot be one."""
    check_id("actor_id", actor_id)
    check_id("access", access)
    with store.database.write() as session:
        session.merge(
            RecordGrantRow(
                actor_id=actor_id,
                access=access,
                granted_by=by.actor_id,
                granted_at=store.database.clock(),
            )
        )
        store.audit.append(session, by, "record.grant", "record_access", "", [actor_id, access])


def revoke(store: Store, actor_id: str, access: str, by: Context) -> bool:
    """Take that away; False where it was not given."""
    with store.database.write() as session:
        row = session.get(RecordGrantRow, (actor_id, access))
        if row is None:
            return False
        session.execute(
            delete(RecordGrantRow).where(
                RecordGrantRow.actor_id == actor_id, RecordGrantRow.access == access
            )
        )
        store.audit.append(session, by, "record.revoke", "record_access", "", [actor_id, access])
        return True


def grants(store: Store) -> Sequence[RecordGrantRow]:
    """Who may search which groups."""
    query = select(RecordGrantRow).order_by(RecordGrantRow.actor_id, RecordGrantRow.access)
    with store.database.read() as session:
        return session.scalars(query).all()
