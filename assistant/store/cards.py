"""Cards: what was shown to a doctor at work, how it was answered, how often it is overridden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from sqlalchemy import Table, bindparam, case, func, insert, select, update
from sqlalchemy.orm import Session

from assistant.store.audit import Audit, Entry
from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.errors import CardNotFound, InvalidArgument
from assistant.store.identifier import is_id, new_id
from assistant.store.models.card import CardRow

_CARDS = cast(Table, CardRow.__table__)
# Each call of a hook asks these: statements that stand are not worked out each time.
_OF_PATIENTS = _CARDS.c.patient_id.in_(bindparam("patients", expanding=True))
_OVERRIDDEN = select(_CARDS.c.patient_id, _CARDS.c.encounter_id, _CARDS.c.key).where(
    _OF_PATIENTS, _CARDS.c.outcome == "overridden"
)
_OPEN = select(
    _CARDS.c.patient_id,
    _CARDS.c.encounter_id,
    _CARDS.c.actor_id,
    _CARDS.c.service,
    _CARDS.c.kind,
    _CARDS.c.rule,
    _CARDS.c.key,
    _CARDS.c.id,
    _CARDS.c.shown,
    _CARDS.c.suggestions,
).where(
    _OF_PATIENTS,
    _CARDS.c.key.in_(bindparam("keys", expanding=True)),
    _CARDS.c.outcome == "",
)
_ADD = insert(_CARDS)
_SHOW_AGAIN = (
    update(_CARDS)
    .where(_CARDS.c.id == bindparam("of"))
    .values(shown=bindparam("times"), suggestions=bindparam("offered"))
)

Outcome = Literal["accepted", "overridden"]
MAX_COMMENT = 2_000


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card to show.  ``id`` is made where it is not given; ``suggestions``: id → what it is."""

    kind: Literal["alert", "draft", "note"]
    rule: str
    key: str
    severity: str = "info"
    interruptive: bool = False
    draft_id: str | None = None
    suggestions: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True, slots=True)
class Showing:
    """Cards that are shown at one call; ``action`` is what the audit calls it."""

    context: Context
    service: str
    application: str
    cards: Sequence[NewCard]
    action: str = "card.show"


@dataclass(frozen=True, slots=True)
class RuleRate:
    """How a rule was answered, over all patients, purged ones too."""

    rule: str
    cards: int
    shown: int
    accepted: int
    overridden: int

    @property
    def override_rate(self) -> float | None:
        """Overridden ones of those that were answered."""
        answered = self.accepted + self.overridden
        return self.overridden / answered if answered else None


class Cards:
    """The cards of the store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def overridden(self, context: Context) -> set[str]:
        """The keys that were overridden in this encounter: they are not shown again."""
        return self.overridden_each([context])[0]

    def overridden_each(self, contexts: Sequence[Context]) -> list[set[str]]:
        """The same of several encounters, at one moment."""
        with self._database.read() as session:
            return self.overridden_in(session, contexts)

    def overridden_in(self, session: Session, contexts: Sequence[Context]) -> list[set[str]]:
        """The same inside the caller's transaction."""
        found: dict[tuple[str, str], set[str]] = {}
        if contexts:
            patients = list({context.patient_id for context in contexts})
            rows = session.connection().execute(_OVERRIDDEN, {"patients": patients})
            for patient, encounter, key in rows:
                found.setdefault((patient, encounter), set()).add(key)
        return [found.get((c.patient_id, c.encounter_id), set()) for c in contexts]

    def show(
        self,
        context: Context,
        service: str,
        application: str,
        cards: Sequence[NewCard],
        action: str = "card.show",
    ) -> list[str]:
        """Keep that cards are shown, in one transaction; gives their ids.

        The same card of the same encounter, not answered yet, keeps its id and is counted again.
        ``action`` is what the audit calls it, with the application beside it.
        """
        return self.show_each([Showing(context, service, application, cards, action)])[0]

    def show_each(self, showings: Sequence[Showing]) -> list[list[str]]:
        """The same for several calls, all in one transaction."""
        with self._database.write() as session:
            return self.show_in(session, showings)

    def show_in(self, session: Session, showings: Sequence[Showing]) -> list[list[str]]:
        """The same inside the caller's writing transaction."""
        now = self._database.clock()
        open_ones = _open_ones(session, showings)
        known = {card["id"] for card in open_ones.values()}
        ids: list[list[str]] = []
        for one in showings:
            made: list[str] = []
            for card in one.cards:
                key = _place(one, card)
                row = open_ones.get(key)
                if row is not None:
                    row["shown"] += 1
                    row["suggestions"] = {**row["suggestions"], **card.suggestions}
                else:
                    row = open_ones[key] = _row(card, one, now)
                made.append(row["id"])
            ids.append(made)
        asked = {card_id for of_one in ids for card_id in of_one}
        _keep(session, [r for r in open_ones.values() if r["id"] in asked], known)
        self._audit.append_all(
            session,
            [
                Entry(s.context, s.action, f"app:{s.application}"[:32], [s.application, of_one])
                for s, of_one in zip(showings, ids, strict=True)
            ],
        )
        return ids

    def answer(
        self,
        context: Context,
        card_id: str,
        outcome: Outcome,
        *,
        service: str | None = None,
        reason: str = "",
        comment: str = "",
        suggestions: Sequence[str] = (),
        application: str | None = None,
    ) -> CardRow:
        """Keep how a card was answered; the last answer holds.

        A ``context`` without a patient may answer any card of its own ``application``.

        Raises `CardNotFound`, `InvalidArgument`.
        """
        if outcome not in ("accepted", "overridden"):
            raise InvalidArgument("A card is accepted or overridden.")
        if len(comment) > MAX_COMMENT or len(reason) > 64:
            raise InvalidArgument("The reason or the comment is too long.")
        with self._database.write() as session:
            row = session.get(CardRow, card_id) if is_id(card_id) else None
            if row is not None and _may_answer(row, context, service, application):
                row.outcome, row.reason, row.comment = outcome, reason, comment
                row.answered_by, row.answered_at = context.actor_id, self._database.clock()
                own = Context(
                    context.actor_id, context.actor_role, row.patient_id, row.encounter_id
                )
                content = [row.rule, reason, comment, sorted(suggestions)]
                self._audit.append(session, own, f"card.{outcome}", "card", row.id, content)
                return row
            self._audit.append(session, context, "card.answer_refused", "card", card_id)
        raise CardNotFound

    def rates(self) -> list[RuleRate]:
        """How each rule was answered, the most shown first."""
        accepted = func.sum(case((CardRow.outcome == "accepted", 1), else_=0))
        overridden = func.sum(case((CardRow.outcome == "overridden", 1), else_=0))
        query = (
            select(CardRow.rule, func.count(), func.sum(CardRow.shown), accepted, overridden)
            .where(CardRow.kind == "alert")
            .group_by(CardRow.rule)
            .order_by(func.count().desc(), CardRow.rule)
        )
        with self._database.read() as session:
            return [RuleRate(*row) for row in session.execute(query)]


_Place = tuple[str, str, str, str, str, str, str]


def _place(showing: Showing, card: NewCard) -> _Place:
    """What tells one open card from another."""
    context = showing.context
    return (
        context.patient_id,
        context.encounter_id,
        context.actor_id,
        showing.service,
        card.kind,
        card.rule,
        card.key,
    )


def _open_ones(session: Session, showings: Sequence[Showing]) -> dict[_Place, dict[str, Any]]:
    """The cards of these encounters that are not answered yet, of those that are shown again."""
    patients = {one.context.patient_id for one in showings if one.cards}
    if not patients:
        return {}
    keys = {card.key for one in showings for card in one.cards}
    asked = {"patients": list(patients), "keys": list(keys)}
    return {
        cast(_Place, tuple(row[:7])): {"id": row[7], "shown": row[8], "suggestions": row[9]}
        for row in session.connection().execute(_OPEN, asked)
    }


def _keep(session: Session, rows: Sequence[dict[str, Any]], known: Set[str]) -> None:
    """Write the rows: those that were there as they are now, the others anew."""
    changed = [
        {"of": row["id"], "times": row["shown"], "offered": row["suggestions"]}
        for row in rows
        if row["id"] in known
    ]
    if changed:
        session.connection().execute(_SHOW_AGAIN, changed)
    if new := [row for row in rows if row["id"] not in known]:
        session.connection().execute(_ADD, new)


def _may_answer(
    row: CardRow, context: Context, service: str | None, application: str | None
) -> bool:
    if service is not None and row.service != service:
        return False
    if application is not None and row.application != application:
        return False
    if context.patient_id:
        return (row.patient_id, row.encounter_id) == (context.patient_id, context.encounter_id)
    return application is not None


def _row(card: NewCard, showing: Showing, now: Any) -> dict[str, Any]:
    context = showing.context
    return {
        "id": card.id or new_id(),
        "service": showing.service,
        "kind": card.kind,
        "rule": card.rule,
        "key": card.key,
        "severity": card.severity,
        "interruptive": card.interruptive,
        "draft_id": card.draft_id,
        "suggestions": dict(card.suggestions),
        "actor_id": context.actor_id,
        "application": showing.application,
        "patient_id": context.patient_id,
        "encounter_id": context.encounter_id,
        "created_at": now,
        "shown": 1,
        "outcome": "",
        "reason": "",
        "comment": "",
        "answered_by": "",
        "answered_at": None,
    }
