"""Dropped facts: what a trial is, and how the check is judged by it."""

from __future__ import annotations

import random

import pytest

from assistant.course.event import KIND_ZH
from assistant.record.evidence import TextSpan
from assistant.tasks.omissions.draft import Omission
from eval.clinical.discharge.generator import generate
from eval.clinical.omissions.measure import Verdict, judge, summarize
from eval.clinical.omissions.summary import stay_of, wordings
from eval.clinical.omissions.trials import samples, trials


def test_the_same_seed_drops_the_same_facts() -> None:
    first, again = list(trials(30, 3)), list(trials(30, 3))
    assert [t.text for t in first] == [t.text for t in again]
    assert [t.text for t in trials(30, 4)] != [t.text for t in first]


def test_a_dropped_fact_is_not_in_the_text_and_is_in_the_record() -> None:
    found = list(trials(60, 1))
    assert sum(len(t.dropped) for t in found) >= 60
    for trial in found:
        record = "\n".join(n.text for n in trial.encounter.all_notes())
        for fact in trial.dropped:
            assert not fact.is_in(trial.text)
            assert all(key in record or len(fact.keys) > 1 for key in fact.keys)


def test_added_events_are_in_the_notes_and_worded_otherwise() -> None:
    (known,) = generate(1)
    stay = stay_of(known, random.Random(1), add=5)
    added = [f for f in stay.facts if f.sentences and f.sentences[0] in str(stay.encounter.notes)]
    assert len(added) >= 5
    assert len(stay.encounter.notes) == len(known.encounter.notes)


def test_every_kind_that_is_dropped_is_a_kind_of_event() -> None:
    named = {row[0] for row in wordings()["added"]}
    named |= {k for kinds in wordings()["facts"].values() for k in kinds.values()}
    assert named <= set(KIND_ZH)
    assert len(samples()) >= 10


def _omission(text: str) -> Omission:
    place = TextSpan(note_id="n", start=0, end=len(text), quote=text)
    return Omission(
        id="e", kind="device", title="管道", importance="must", text=text, suggestion=text,
        evidence=[place],
    )  # fmt: skip


def test_what_was_not_taken_away_is_a_false_omission() -> None:
    trial = next(t for t in trials(20, 1) if t.removed)
    none = Verdict(trial, ())
    assert not any(none.hits())
    wrong = Verdict(trial, (_omission("此事从未发生过甲乙丙"),))
    assert len(wrong.false()) == 1
    result = summarize([wrong], seed=1)
    assert result.scores["precision"] == 0
    assert result.scores["recall"] == 0


@pytest.mark.parametrize("seed", [11])
def test_most_dropped_facts_are_named_and_little_else(seed: int) -> None:
    result = summarize(judge(trials(60, seed)), seed=seed)
    assert result.scores["recall"] > 85
    assert result.scores["precision"] > 85
