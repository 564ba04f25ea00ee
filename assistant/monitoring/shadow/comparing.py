"""Two texts of one record for a named reviewer, who is not told which one is the candidate's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from assistant.draft import Draft
from assistant.monitoring.shadow.differences import model_drafts
from assistant.store.errors import ShadowAnswerNotFound

if TYPE_CHECKING:
    from assistant.api.context import Actor, Services

Choice = Literal["a", "b", "same"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A pair that waits for somebody's opinion."""

    id: str
    task: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts, section by section, and the record of both."""

    id: str
    task: str
    record: Mapping[str, Any]
    a: Mapping[str, str]
    b: Mapping[str, str]


def waiting(parts: Services, who: Actor) -> list[Listed]:
    """Done, drawn for review, and not judged by this reviewer yet; oldest first."""
    share = parts.settings.shadow.review_share
    judged = {answer for answer, reviewer, _ in parts.store.shadow.reviews() if reviewer == who.id}
    found = []
    for answer in reversed(parts.store.shadow.list()):
        drawn = int(parts.store.hashes.content(["shadow review", answer.id])[:8], 16)
        if (
            answer.status == "done"
            and answer.id not in judged
            and answer.differences.get("sections")
            and (drawn / 0xFFFFFFFF < share or share >= 1)
        ):
            found.append(Listed(answer.id, answer.kind))
    return found


def read(parts: Services, who: Actor, answer_id: str) -> Pair:
    """Both texts; the reading is audited.  Raises `ShadowAnswerNotFound` for any other pair."""
    _check(parts, who, answer_id)
    beside = parts.store.shadow.open(who.id, who.role, answer_id)
    real, candidate = (
        _texts([parts.tasks.draft(content) for content in contents])
        for contents in (beside.real, beside.candidate)
    )
    shared = [name for name in real if name in candidate]
    texts = {name: real[name] for name in shared}, {name: candidate[name] for name in shared}
    a, b = texts[::-1] if _candidate_is_a(parts, answer_id) else texts
    return Pair(answer_id, beside.answer.kind, beside.record, a, b)


def prefer(parts: Services, who: Actor, answer_id: str, choice: Choice, comment: str) -> None:
    """Keep which one is better.  Whose it was, only the report says.

    Raises `ShadowAnswerNotFound`; `InvalidArgument` for a second opinion.
    """
    _check(parts, who, answer_id)
    preferred = "same"
    if choice != "same":
        is_a = _candidate_is_a(parts, answer_id)
        preferred = "candidate" if (choice == "a") == is_a else "real"
    parts.store.shadow.review(who.id, who.role, answer_id, preferred, comment)


def _texts(drafts: list[Draft]) -> dict[str, str]:
    return {name: draft.plain_text() for name, draft in model_drafts(drafts).items()}


def _candidate_is_a(parts: Services, answer_id: str) -> bool:
    """By a keyed hash: the same for everybody, and nobody can tell."""
    return int(parts.store.hashes.content(["shadow side", answer_id])[:8], 16) % 2 == 0


def _check(parts: Services, who: Actor, answer_id: str) -> None:
    """A reviewer reads and judges what was drawn, once, and nothing else."""
    if answer_id not in {listed.id for listed in waiting(parts, who)}:
        raise ShadowAnswerNotFound
