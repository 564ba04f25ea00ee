"""The set of trials over records: seeded errors of every type, and as many true statements."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from assistant.grounding.segments import Segment
from eval.clinical.checker.borrowed import claimed, of_another_record
from eval.clinical.checker.meaning import turned_negations, wrong_drugs, wrong_sides
from eval.clinical.checker.record import Record
from eval.clinical.checker.rewording import truths
from eval.clinical.checker.trial import TRUTHS, Trial
from eval.clinical.checker.values import wrong_dates, wrong_numbers, wrong_units, wrong_use

Seeder = Callable[[Record, Segment, random.Random], Iterator[Trial]]
SEEDERS: tuple[Seeder, ...] = (
    wrong_numbers,
    wrong_use,
    wrong_units,
    wrong_dates,
    wrong_sides,
    turned_negations,
    wrong_drugs,
)
MOST_OF_A_KIND = 12
"""Errors of one type from one record, so that no long record decides."""

BORROWED = 12
"""Sentences of another record that are tried on one."""


def errors(records: Sequence[Record], dice: random.Random) -> list[Trial]:
    """Seeded errors of all records, each proven to be one, none twice."""
    found: list[Trial] = []
    for number, record in enumerate(records):
        made = [
            trial
            for segment in record.segments
            for seeder in SEEDERS
            for trial in seeder(record, segment, dice)
        ]
        if len(records) > 1:
            other = records[(number + dice.randrange(1, len(records))) % len(records)]
            made += list(of_another_record(record, other, dice))[:BORROWED]
        made += claimed(record)
        found += _capped(list({t.text: t for t in made}.values()), dice)
    return found


def _capped(trials: list[Trial], dice: random.Random) -> list[Trial]:
    dice.shuffle(trials)
    counts: dict[str, int] = {}
    kept = []
    for trial in trials:
        counts[trial.kind] = counts.get(trial.kind, 0) + 1
        if counts[trial.kind] <= MOST_OF_A_KIND:
            kept.append(trial)
    return kept


def true_statements(records: Sequence[Record], wanted: int, dice: random.Random) -> list[Trial]:
    """About ``wanted`` true statements, as many of each type as there are, from all records."""
    pools: dict[str, list[Trial]] = {kind: [] for kind in TRUTHS}
    for record in records:
        for trial in {t.text: t for t in truths(record, dice)}.values():
            pools[trial.kind].append(trial)
    chosen: list[Trial] = []
    for left, (_, pool) in enumerate(sorted(pools.items(), key=lambda item: len(item[1]))):
        dice.shuffle(pool)
        chosen += pool[: max(0, wanted - len(chosen)) // (len(pools) - left)]
    return chosen


def make_trials(records: Sequence[Record], seed: int) -> list[Trial]:
    """The same trials for the same records and seed."""
    dice = random.Random(seed)  # noqa: S311
    wrong = errors(records, dice)
    return [*wrong, *true_statements(records, len(wrong), dice)]
