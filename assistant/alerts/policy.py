"""Which alerts are shown: none that was overridden on the same facts, few that interrupt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from assistant.alerts.alert import Alert
from assistant.store.cards import NewCard

if TYPE_CHECKING:
    from assistant.store import Context, Store

PREFIX = "alert:"


def to_show(alerts: Sequence[Alert], overridden: Collection[str], most: int) -> list[Alert]:
    """The alerts without those that were overridden; from the ``most``-th on none interrupts.

    An alert's key changes with its facts, so that a changed one is shown again.
    """
    shown: list[Alert] = []
    left = most
    for alert in alerts:
        if alert.key in overridden:
            continue
        if alert.interruptive and not left:
            alert = alert.model_copy(update={"interruptive": False})
        left -= alert.interruptive
        shown.append(alert)
    return shown


def as_card(alert: Alert, card_id: str = "") -> NewCard:
    """The alert as the store keeps it."""
    return NewCard(
        kind="alert",
        rule=alert.rule,
        key=alert.key,
        severity=alert.severity,
        interruptive=alert.interruptive,
        id=card_id,
    )


def shown(
    store: Store,
    context: Context,
    service: str,
    application: str,
    alerts: Sequence[Alert],
    most: int,
) -> list[tuple[str, Alert]]:
    """The alerts that are shown now, each with the id of its card.  Blocks on the store."""
    chosen = to_show(alerts, store.cards.overridden(context), most)
    ids = store.cards.show(context, service, application, [as_card(a) for a in chosen])
    return list(zip(ids, chosen, strict=True))
