"""What a named reviewer may read and score: the week's sample, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.api.context import DEMO_ACTOR, Actor
from assistant.api.problems import Problem
from assistant.monitoring.form import quality_form
from assistant.monitoring.reviewing import last_week, sample
from assistant.store import DraftNotFound
from assistant.store.quality_reviews import QualityReview, ToReview
from assistant.work.roles import REVIEW_ROLES

if TYPE_CHECKING:
    from assistant.api.context import Services


@dataclass(frozen=True, slots=True)
class Sampled:
    """A draft of the week's sample, and whether the reviewer has scored it."""

    draft_id: str
    task: str
    reviewed: bool


def named(who: Actor) -> Actor:
    """A doctor who goes by a name.  Raises `Problem` (403) for others."""
    if who.role not in REVIEW_ROLES or who.id == DEMO_ACTOR:
        raise Problem(
            403,
            "只有署名的医师可以评审：请用本人的密钥，或在 X-Actor-Id 写明。"
            "(Reviews are by doctors who go by their own name.)",
        )
    return who


def week_or_last(parts: Services, week: str | None) -> str:
    """The week that is asked for; else the last one that is over."""
    return week or last_week(parts.store.database.clock())


def sampled(parts: Services, who: Actor, week: str) -> list[Sampled]:
    """The drafts that are to be scored.  Blocks on the disk."""
    reviews = parts.store.quality_reviews.list(quality_form().name)
    done = {review.draft_id for review in reviews if review.reviewer == who.id}
    chosen = sample(parts.store, week, parts.settings.monitoring.sample)
    return [
        Sampled(draft_id, task, draft_id in done)
        for (task, _), ids in chosen.items()
        for draft_id in ids
    ]


def read(parts: Services, who: Actor, draft_id: str, week: str) -> ToReview:
    """A draft of the sample with its record; the reading is audited.

    Raises `DraftNotFound` for another one.
    """
    _check(parts, who, draft_id, week)
    return parts.store.quality_reviews.open(who.id, who.role, draft_id)


def score(
    parts: Services,
    who: Actor,
    draft_id: str,
    week: str,
    scores: Mapping[str, int | None],
    comment: str,
) -> QualityReview:
    """Keep the scores of a draft of the sample.

    Raises `InvalidArgument` naming the items at fault, `DraftNotFound`.
    """
    used = quality_form()
    checked = used.check(scores)
    _check(parts, who, draft_id, week)
    return parts.store.quality_reviews.add(who.id, who.role, draft_id, used.name, checked, comment)


def _check(parts: Services, who: Actor, draft_id: str, week: str) -> None:
    if draft_id not in {draft.draft_id for draft in sampled(parts, who, week)}:
        raise DraftNotFound
