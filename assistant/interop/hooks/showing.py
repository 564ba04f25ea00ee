"""Alerts and drafts that are ready → cards, kept as shown with the audit of their calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from assistant.alerts.alert import Alert
from assistant.alerts.policy import as_card, to_show
from assistant.api.context import Services
from assistant.interop.hooks.assembling import Assembled
from assistant.interop.hooks.caller import Caller
from assistant.interop.hooks.making import alert_card, draft_cards, suggestions_of
from assistant.interop.hooks.message import Card, Suggestion
from assistant.interop.hooks.service import HookService
from assistant.store import Context, DraftRow, Store
from assistant.store.cards import NewCard, Showing


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose cards are wanted."""

    service: HookService
    context: Context
    caller: Caller
    base: str
    alerts: Sequence[Alert] = ()
    assembled: Assembled | None = None


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What a call shows: alerts with their suggestions, drafts, and all as the store keeps them."""

    alerts: Sequence[tuple[Alert, list[Suggestion]]]
    drafts: Sequence[tuple[NewCard, Card]]

    def cards(self) -> list[NewCard]:
        """As the store keeps them."""
        return [
            replace(as_card(alert), suggestions={one.uuid: one.label for one in offered})
            for alert, offered in self.alerts
        ] + [card for card, _ in self.drafts]


def shown_each(parts: Services, calls: Sequence[Call]) -> list[list[Card] | None]:
    """The cards of each call; None where its token was used before.

    Blocks on the store: one transaction for all, since what is shown depends on what was
    overridden, and a token counts as used with what it was used for.
    """
    with parts.store.database.write() as session:
        fresh = _taken_in(session, parts.store, calls)
        kept = [call for call, is_fresh in zip(calls, fresh, strict=True) if is_fresh]
        shown = iter(_shown_in(session, parts, kept))
    # Only now: a transaction that fails is tried again call by call.
    for call in calls:
        if call.caller.use is not None:
            call.caller.use.is_taken = True
    return [next(shown) if is_fresh else None for is_fresh in fresh]


def _taken_in(session: Session, store: Store, calls: Sequence[Call]) -> list[bool]:
    """Takes the tokens of the calls; whether each is used for the first time."""
    uses = [one.use for call in calls if (one := call.caller) and one.is_to_take]
    fresh = iter(store.token_uses.take_in(session, [use.key for use in uses if use]))
    return [next(fresh) if call.caller.is_to_take else True for call in calls]


def _shown_in(session: Session, parts: Services, calls: Sequence[Call]) -> list[list[Card]]:
    if not calls:
        return []
    store = parts.store
    # Where there are no alerts, it does not matter which were overridden.
    asked = [call.context for call in calls if call.alerts]
    overridden = iter(store.cards.overridden_in(session, asked))
    ready = store.drafts.ready_in(
        session, [(call.context, call.service.draft_kinds) for call in calls]
    )
    chosen = [
        _chosen(parts, call, next(overridden) if call.alerts else set(), rows)
        for call, rows in zip(calls, ready, strict=True)
    ]
    showings = [
        Showing(
            call.context,
            call.service.id,
            call.caller.application,
            one.cards(),
            f"hook.{call.service.hook}"[:64],
        )
        for call, one in zip(calls, chosen, strict=True)
    ]
    ids = store.cards.show_in(session, showings)
    return [_made(one, of_call) for one, of_call in zip(chosen, ids, strict=True)]


def _chosen(
    parts: Services, call: Call, overridden: set[str], ready: Sequence[DraftRow]
) -> _Chosen:
    orders = call.assembled.orders if call.assembled is not None else {}
    alerts = to_show(call.alerts, overridden, parts.settings.alerts.most_interruptive)
    smart = parts.settings.hooks.smart_url
    return _Chosen(
        [(alert, suggestions_of(alert, orders)) for alert in alerts],
        draft_cards(ready, parts.tasks, call.base, smart) if ready else [],
    )


def _made(chosen: _Chosen, ids: Sequence[str]) -> list[Card]:
    made = [
        alert_card(card_id, alert, offered)
        for card_id, (alert, offered) in zip(ids, chosen.alerts, strict=False)
    ]
    behind = ids[len(chosen.alerts) :]
    return made + [
        card.model_copy(update={"uuid": card_id})
        for card_id, (_, card) in zip(behind, chosen.drafts, strict=True)
    ]
