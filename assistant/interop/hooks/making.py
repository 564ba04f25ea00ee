"""Alerts and drafts that are ready → cards."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence

from assistant.alerts.alert import Alert
from assistant.interop.hooks.message import (
    MAX_SUMMARY,
    Action,
    Card,
    Coding,
    Link,
    Source,
    Suggestion,
)
from assistant.record.evidence import Evidence, PageBox
from assistant.store import DraftRow
from assistant.store.cards import NewCard
from assistant.work.registry import Registry

RULES = "urn:bedside:alert-rules"
REASONS = "urn:bedside:override-reasons"
OVERRIDES = (
    Coding(code="known", system=REASONS, display="已知晓并已评估"),
    Coding(code="benefit", system=REASONS, display="获益大于风险"),
    Coding(code="monitored", system=REASONS, display="已在监测"),
    Coding(code="not-applicable", system=REASONS, display="与该患者不符"),
    Coding(code="wrong", system=REASONS, display="提示有误"),
)
_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>#|"})
_MARKED = {"critical": "【危险】", "warning": "", "info": ""}
LABEL = "Bedside 事中提示（规则，非模型）"
LABEL_DRAFT = "Bedside（AI 生成草稿，须经医师审核）"


def shortened(text: str, most: int = MAX_SUMMARY) -> str:
    """At most so many characters, with an ellipsis where something is left out."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return " ".join(text.split()).translate(_MARKS)


def suggestions_of(alert: Alert, orders: Mapping[str, str]) -> list[Suggestion]:
    """To remove the draft orders that an alert is about."""
    made = []
    for row in alert.drugs:
        if reference := orders.get(row):
            action = Action(
                type="delete", description="撤销该医嘱 (Remove the order)", resourceId=reference
            )
            made.append(
                Suggestion(
                    label="撤销该医嘱",
                    uuid=str(uuid.uuid4()),
                    isRecommended=False,
                    actions=[action],
                )
            )
    return made


def _where(place: Evidence) -> str:
    """Of what stands on a page, which; a text is its own place."""
    return f"（单据图像第{place.page}页）" if isinstance(place, PageBox) else ""


def alert_card(card_id: str, alert: Alert, suggestions: list[Suggestion]) -> Card:
    """An alert as a card."""
    lines = [plain(alert.message), "", f"**处理**：{plain(alert.settle)}"]
    if alert.evidence:
        lines += ["", "**依据**："]
        lines += [
            f"- {plain(shortened(place.quote, 200))}{_where(place)}" for place in alert.evidence[:6]
        ]
    lines += ["", f"来源：{plain(alert.source.name)}，{alert.source.year}"]
    return Card(
        uuid=card_id,
        summary=shortened(_MARKED[alert.severity] + alert.message),
        detail="\n".join(lines),
        indicator=alert.severity,
        source=Source(
            label=LABEL, topic=Coding(code=alert.rule, system=RULES, display=alert.title)
        ),
        suggestions=suggestions or None,
        selectionBehavior="any" if suggestions else None,
        overrideReasons=None if alert.severity == "info" else list(OVERRIDES),
    )


def draft_cards(
    rows: Sequence[DraftRow], tasks: Registry, base: str, smart: str
) -> list[tuple[NewCard, Card]]:
    """One card for each request whose drafts are ready: the newest of each kind."""
    newest: dict[str, list[DraftRow]] = {}
    for row in rows:
        parts_of_kind = newest.setdefault(row.kind, [])
        if not parts_of_kind or parts_of_kind[0].request_id == row.request_id:
            parts_of_kind.append(row)
    cards = []
    for kind, parts in newest.items():
        task = tasks.get(kind)
        if task is None:
            continue
        summary = f"{task.title.zh}草稿已就绪（{len(parts)} 份），待审核"
        new = NewCard("draft", kind, parts[0].request_id, draft_id=parts[0].id)
        cards.append((new, Card(
            uuid="pending",
            summary=shortened(summary),
            detail=f"{summary}。AI 生成，采用前请核对每句的依据。",
            indicator="info",
            source=Source(label=LABEL_DRAFT),
            links=[_link(base, smart, kind, parts[0].request_id)],
        )))  # fmt: skip
    return cards


def _link(base: str, smart: str, kind: str, request_id: str) -> Link:
    label = "打开草稿 (Open the draft)"
    if smart:
        launch = json.dumps({"kind": kind, "request": request_id}, separators=(",", ":"))
        return Link(label=label, url=smart, type="smart", appContext=launch)
    return Link(label=label, url=f"{base}/", type="absolute")
