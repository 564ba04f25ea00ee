"""The long work: it goes on after a stop, and the same settings give the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.tasks.radiomics.cohort import nested
from assistant.tasks.radiomics.cohort.journal import Journal
from assistant.tasks.radiomics.cohort.nested import Nested, Study, choose, run
from assistant.tasks.radiomics.cohort.outcome import Outcome
from assistant.tasks.radiomics.cohort.refusal import CohortRefused
from assistant.tasks.radiomics.cohort.settings import settings_of


class _Stopped(Exception):
    pass


@pytest.fixture(scope="module")
def whole(class_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Nested:
    """What one process gives that nobody stops."""
    journal = Journal(tmp_path_factory.mktemp("whole") / "j", "a")
    return run(class_study, journal, lambda *_: None, 1)


def test_it_goes_on_where_it_was_stopped(
    class_study: Study, whole: Nested, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int, total: int, what: str) -> None:
        if done == 5:
            raise _Stopped

    with pytest.raises(_Stopped):
        run(class_study, Journal(tmp_path / "j", "a"), stop, 1)
    with (tmp_path / "j").open("a") as stream:
        stream.write('{"part": "inner 1')  # a line that the stop cut off
    made: list[Any] = []
    inner = nested.inner_part
    monkeypatch.setattr(nested, "inner_part", lambda *given: made.append(given) or inner(*given))
    again = run(class_study, Journal(tmp_path / "j", "a"), lambda *_: None, 1)
    assert len(made) == 4 * 3 - 5
    assert again == whole


def test_other_work_begins_anew(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", "a")
    journal.add("x", 1)
    assert Journal(tmp_path / "j", "a").done == {"x": 1}
    assert Journal(tmp_path / "j", "b").done == {}


def test_two_processes_give_what_one_gives(
    class_study: Study, whole: Nested, tmp_path: Path
) -> None:
    assert run(class_study, Journal(tmp_path / "two", ""), lambda *_: None, 2) == whole


def test_the_inner_folds_choose_the_candidate_that_scores_best(class_study: Study) -> None:
    names = [choice.name for choice in class_study.choices]
    parts = [
        {"score": dict.fromkeys(names, 0.5) | {names[2]: 0.9}},
        {"score": dict.fromkeys(names, 0.6) | {names[1]: 0.8}},
    ]
    assert choose(class_study, parts).name == names[2]


def test_repeats_draw_other_folds(class_study: Study) -> None:
    twice = replace(class_study, settings=class_study.settings.model_copy(update={"repeats": 2}))
    folds = nested.outer_folds(twice)
    assert len(folds) == 2 * 3 + 1
    assert set(folds[0][1]) != set(folds[3][1])


def test_a_large_cohort_is_judged_by_ten_folds(class_study: Study) -> None:
    """Unless the settings say how many."""
    chosen = class_study.settings.model_copy(update={"outer_folds": 0})
    for cases, folds in ((80, 10), (78, 5)):
        event = np.arange(cases) % 2 == 0
        cohort = replace(class_study.cohort, outcome=Outcome(event))
        assert replace(class_study, settings=chosen, cohort=cohort).outer == folds
        assert len(nested.outer_folds(replace(class_study, settings=chosen, cohort=cohort))) == (
            folds + 1
        )
        assert replace(class_study, cohort=cohort).outer == 3
    for count in (1, 2, 21):
        with pytest.raises(CohortRefused, match="outer_folds"):
            settings_of({"outer_folds": count})
