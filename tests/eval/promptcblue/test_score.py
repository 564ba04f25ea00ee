"""Scores against what the tracks' own scorers give, and the two modes."""

from __future__ import annotations

from pathlib import Path

import pytest
from promptcblue_sets import answers, gold, noisy

from eval.errors import EvalError
from eval.promptcblue.prediction import Prediction
from eval.promptcblue.sample import Sample, read_samples
from eval.promptcblue.score import MISSING, ODD, score
from eval.promptcblue.tracks import CCKS2023, CHIP2023, TRACKS, Track

BOTH = pytest.mark.parametrize("track", TRACKS.values(), ids=TRACKS)


@BOTH
def test_gold_as_answers_scores_100_on_every_task(track: Track) -> None:
    samples = gold(track)
    assert {sample.task_dataset for sample in samples} == set(track.tasks)
    for official in (False, True):
        scores = score(track, samples, answers(samples), official=official)
        assert scores.by_task == pytest.approx(dict.fromkeys(track.tasks, 100.0), abs=1e-6)
        assert scores.overall == pytest.approx(100.0, abs=1e-6)
        assert not scores.refused
        assert not scores.notes


@BOTH
@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("official", [False, True])
def test_noisy_answers_score_as_the_official_scorer_has_it(
    track: Track, number: int, official: bool
) -> None:
    samples = gold(track)
    case = noisy(track)[number]
    scores = score(track, samples, answers(samples, case["answers"]), official=official)
    assert scores.by_task == pytest.approx(case["scores"], abs=1e-6)
    assert scores.overall == pytest.approx(sum(case["scores"].values()) / len(track.tasks))


def test_the_first_noisy_set_is_empty_answers() -> None:
    for track in TRACKS.values():
        assert set(noisy(track)[0]["answers"].values()) == {""}
        assert noisy(track)[0]["scores"]["CHIP-STS"] > 0


@BOTH
def test_a_missing_answer_zeroes_the_official_score_and_is_counted_otherwise(
    track: Track,
) -> None:
    samples = gold(track)
    short = answers(samples)[1:]
    official = score(track, samples, short, official=True)
    assert official.overall == 0
    assert set(official.by_task.values()) == {0.0}
    assert samples[0].task_dataset in official.refused
    scores = score(track, samples, short)
    assert scores.tasks[samples[0].task_dataset].counts[MISSING] == 1
    assert 90 < scores.overall < 100
    assert any("1 samples have no answer" in note for note in scores.notes)


@BOTH
def test_no_task_gives_anything_for_answers_that_are_missing(track: Track) -> None:
    samples = gold(track)
    scores = score(track, samples, [])
    assert scores.by_task == dict.fromkeys(track.tasks, 0.0)
    assert {task.counts[MISSING] for task in scores.tasks.values()} != {0}


def test_the_order_within_a_task_matters_to_the_official_scorer_alone() -> None:
    samples = gold(CCKS2023)
    shuffled = sorted(answers(samples), key=lambda answer: answer.task_dataset)
    assert score(CCKS2023, samples, shuffled, official=True).overall > 99
    turned = answers(samples)[::-1]
    assert score(CCKS2023, samples, turned, official=True).overall == 0
    assert score(CCKS2023, samples, turned).overall > 99


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("CMedCausal", "头实体：久坐"),
        (
            "CMedCausal",
            "条件关系三元组如下\n头实体：a；尾三元组：头实体：b；尾实体：c；关系：条件关系",
        ),
        ("Text2DT", "节点0 role=C"),
        ("Text2DT", "节点0：role=D；logical_rel=null；triples=[[1, 2, 3]]"),
    ],
)
def test_an_odd_line_zeroes_the_official_score_and_is_one_wrong_sample_otherwise(
    task: str, text: str
) -> None:
    samples = gold(CHIP2023)
    odd = next(s for s in samples if s.task_dataset == task)
    given = answers(samples, {s.sample_id: s.target for s in samples} | {odd.sample_id: text})
    official = score(CHIP2023, samples, given, official=True)
    assert official.overall == 0
    assert odd.sample_id in official.refused
    scores = score(CHIP2023, samples, given)
    assert scores.tasks[task].counts[ODD] == 1
    assert scores.by_task[task] < 100
    assert all(points > 99 for name, points in scores.by_task.items() if name != task)


def test_answers_to_other_samples_are_left_out_and_said() -> None:
    samples = gold(CCKS2023)
    extra = [*answers(samples), Prediction("beyond", "text", "MedDG", None)]
    scores = score(CCKS2023, samples, extra)
    assert scores.overall > 99
    assert any("belong to no sample" in note for note in scores.notes)
    assert score(CCKS2023, samples, extra, official=True).overall == 0


def test_the_mean_is_over_the_tasks_that_have_samples() -> None:
    samples = [s for s in gold(CCKS2023) if s.task_dataset in ("MedDG", "KUAKE-IR")]
    given = answers(samples, {s.sample_id: "相关" for s in samples})
    scores = score(CCKS2023, samples, given)
    assert set(scores.by_task) == {"MedDG", "KUAKE-IR"}
    assert scores.overall == pytest.approx(sum(scores.by_task.values()) / 2)
    assert any("no samples of" in note for note in scores.notes)


def test_half_width_marks_are_read_as_full_width_by_one_track_alone() -> None:
    for track, points in ((CCKS2023, 100.0), (CHIP2023, 0.0)):
        samples = [s for s in gold(track) if s.task_dataset == "CMeEE-V2"]
        narrow = {
            s.sample_id: s.target.replace("：", ":").replace("，", ",").replace("；", ";")
            for s in samples
        }
        assert score(track, samples, answers(samples, narrow)).overall == pytest.approx(points)


def test_an_empty_gold_label_is_refused() -> None:
    sample = Sample("1", "KUAKE-IR", "脚气怎么治", " ", ("相关", "不相关"))
    with pytest.raises(EvalError, match="empty label"):
        score(CCKS2023, [sample], [])


@pytest.mark.shared
@pytest.mark.parametrize("name", ["toy_dev.jsonl", "toy_train.jsonl"])
def test_real_samples_score_100_against_themselves(shared_data: Path, name: str) -> None:
    needs = {task: t.needs_choices for task, t in CCKS2023.tasks.items()}
    samples = read_samples(shared_data / "promptcblue" / name, needs)
    scores = score(CCKS2023, samples, answers(samples), official=True)
    assert scores.by_task == pytest.approx(dict.fromkeys(CCKS2023.tasks, 100.0), abs=1e-6)


@BOTH
@pytest.mark.parametrize("around", [("", "\n"), ("\n\n ", "\r\n\n"), ("\t", " ")])
def test_whitespace_around_an_answer_is_no_part_of_it(
    track: Track, around: tuple[str, str]
) -> None:
    samples = gold(track)
    spaced = [
        Prediction(a.sample_id, around[0] + a.text + around[1], a.task_dataset, a.choices)
        for a in answers(samples)
    ]
    scores = score(track, samples, spaced)
    assert scores.by_task == pytest.approx(dict.fromkeys(track.tasks, 100.0), abs=1e-6)
    assert not any(task.counts for task in scores.tasks.values())


@BOTH
def test_reasoning_is_not_scored(track: Track) -> None:
    samples = gold(track)
    thought = [
        Prediction(
            a.sample_id, f"<think>先看题目。\n{b.text}</think>\n\n{a.text}", a.task_dataset, None
        )
        for a, b in zip(answers(samples), reversed(answers(samples)), strict=True)
    ]
    scores = score(track, samples, thought)
    assert scores.by_task == pytest.approx(dict.fromkeys(track.tasks, 100.0), abs=1e-6)
    assert any("reasoning" in note for note in scores.notes)
