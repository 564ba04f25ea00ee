"""The set of draws: as many as are asked for, of every family, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from eval.clinical.checker.facts import changes, events, meanings, regimens, results
from eval.clinical.checker.facts.draw import Draw, Family

FAMILIES: tuple[Family, ...] = (
    regimens.regimen_draws,
    regimens.regimen_draws,
    regimens.regimen_draws,
    changes.change_draws,
    changes.stop_draws,
    changes.unread_draws,
    results.result_draws,
    results.result_draws,
    results.course_draws,
    results.vital_draws,
    events.date_draws,
    events.span_draws,
    events.done_draws,
    events.side_draws,
    meanings.denial_draws,
    meanings.history_draws,
    meanings.doubt_draws,
    meanings.supposed_draws,
    meanings.stay_draws,
    meanings.negative_draws,
)
"""A family that is named more often is drawn more often."""


def draws(count: int, seed: int) -> Iterator[Draw]:
    """``count`` draws, the families in turn."""
    dice = random.Random(seed)  # noqa: S311
    made = 0
    while True:
        for family in FAMILIES:
            for draw in family(dice):
                yield draw
                made += 1
                if made == count:
                    return
