"""What a grammar admits: targets, and nothing that the parser would drop."""

from __future__ import annotations

from pathlib import Path

import pytest
from promptcblue_sets import as_pattern, gold

from eval.promptcblue import grammar
from eval.promptcblue.sample import Sample, read_samples
from eval.promptcblue.tracks import CCKS2023, CHIP2023, TRACKS


@pytest.mark.parametrize(
    "sample",
    [pytest.param(s, id=s.sample_id) for s in gold(CHIP2023)],
)
def test_targets_are_in_the_language(sample: Sample) -> None:
    task = CHIP2023.tasks[sample.task_dataset]
    text = task.grammar(sample)
    if text is None:
        assert task.name == "MedDG"
        return
    pattern = as_pattern(text)
    assert pattern.fullmatch(sample.target)
    assert not pattern.fullmatch("好的，" + sample.target)


def test_targets_have_no_flaw_of_form() -> None:
    for track in TRACKS.values():
        for sample in gold(track):
            task = track.tasks[sample.task_dataset]
            assert not task.parse(sample.target, sample.answer_choices).flaws, sample.sample_id


def test_labels_that_are_not_offered_cannot_be_answered() -> None:
    sample = next(s for s in gold(CCKS2023) if s.task_dataset == "KUAKE-QIC")
    pattern = as_pattern(CCKS2023.tasks["KUAKE-QIC"].grammar(sample) or "")
    assert pattern.fullmatch("非上述类型")
    assert not pattern.fullmatch("治疗")
    assert not pattern.fullmatch("治疗方案 ")


def test_findings_that_the_prompt_names_are_all_answered() -> None:
    sample = next(s for s in gold(CCKS2023) if "牙龈出血，发烧" in s.input)
    pattern = as_pattern(CCKS2023.tasks["CHIP-MDCFNPC"].grammar(sample) or "")
    lines = sample.target.split("\n")
    assert pattern.fullmatch("\n".join(lines))
    assert not pattern.fullmatch("\n".join(lines[:-1]))


def test_quotes_and_backslashes_are_escaped() -> None:
    for text in ('a"b', "a\\b", "a\nb", "甲]乙"):
        assert as_pattern(f"root ::= {grammar.literal(text)}").fullmatch(text)
    inside = as_pattern("root ::= " + grammar.free_text(']^-"'))
    assert inside.fullmatch("甲 a[")
    assert not any(inside.fullmatch(text) for text in ("]", "^", "-", '"', "\n", ""))


@pytest.mark.shared
def test_real_targets_are_in_the_language(shared_data: Path) -> None:
    path = shared_data / "promptcblue" / "toy_dev.jsonl"
    for sample in read_samples(path):
        text = CCKS2023.tasks[sample.task_dataset].grammar(sample)
        assert text is None or as_pattern(text).fullmatch(sample.target), sample.sample_id
