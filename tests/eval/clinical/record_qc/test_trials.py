"""Seeded defects: each is one, the same seed makes the same ones, and most are found."""

from __future__ import annotations

from functools import cache

from assistant.tasks.record_qc.record import CheckedEncounter
from assistant.tasks.record_qc.rules import read_rules
from eval.clinical.record_qc.clean import clean_encounters
from eval.clinical.record_qc.defects import ALSO, DEFECTS
from eval.clinical.record_qc.measure import Inspector, difference, judge, summarize
from eval.clinical.record_qc.trials import trials


@cache
def encounters() -> tuple[CheckedEncounter, ...]:
    return tuple(clean_encounters(24, 7))


def test_every_kind_that_is_seeded_is_one_of_the_rule_set() -> None:
    known = read_rules().kinds
    assert len(DEFECTS) >= 25
    assert set(DEFECTS) <= set(known)
    assert set(ALSO) | set().union(*ALSO.values()) <= set(known)


def test_a_trial_changes_something_and_is_made_again_by_its_seed() -> None:
    first = list(trials(encounters(), len(DEFECTS), 5))
    assert len({t.kind for t in first}) >= len(DEFECTS) - 3
    for trial in first:
        assert trial.encounter != trial.clean
        assert difference(trial) or trial.kind == "discharge_before_admission"
    assert [t.encounter for t in trials(encounters(), len(DEFECTS), 5)] == [
        t.encounter for t in first
    ]


def test_what_is_found_of_a_few_seeds_is_counted_by_kind() -> None:
    inspector = Inspector()
    verdicts = judge(trials(encounters(), 2 * len(DEFECTS), 11), inspector)
    result = summarize(verdicts, encounters(), inspector, seed=11)
    hits = sum(v.hit for v in verdicts)
    assert abs(result.scores["recall"] - 100 * hits / len(verdicts)) < 0.01
    assert result.scores["recall"] > 85
    assert result.scores["precision"] > 85
    assert {row[0] for row in result.tables[0].rows} == {v.trial.kind for v in verdicts}
    # Far fewer than one false mark on a clean encounter.
    assert result.figures[2].value <= 0.3
