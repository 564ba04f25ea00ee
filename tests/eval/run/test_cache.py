"""Answers kept across runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from promptcblue_sets import gold

from eval.errors import EvalError
from eval.promptcblue.tracks import CCKS2023
from eval.run.cache import Cache
from eval.run.request import make_request
from serving.engine import Completion, Sampling, Usage
from serving.engines.echo import EchoEngine

ANSWER = Completion("答案", "stop", Usage(5, 2, 1, 0.5, 0.1, 0.01))
SAMPLES = gold(CCKS2023)


def test_an_answer_is_there_for_the_next_one(tmp_path: Path) -> None:
    first = Cache(tmp_path / "deep" / "c.sqlite")
    first.put("key", ANSWER)
    second = Cache(tmp_path / "deep" / "c.sqlite")
    assert second.get("key") == ANSWER
    assert second.get("other") is None
    first.close()
    second.close()


def test_an_answer_that_was_kept_with_thoughts_is_asked_for_anew(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c.sqlite")
    cache.put("key", replace(ANSWER, text="<think>也许</think>答案"))
    assert cache.get("key") is None
    cache.close()


def test_a_file_that_is_no_cache_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    path.write_text("not a database, but long enough to be taken for one" * 50)
    with pytest.raises(EvalError, match="cannot be used"):
        Cache(path)


def test_the_key_changes_with_all_that_changes_an_answer() -> None:
    engine, sample = EchoEngine(), SAMPLES[0]
    task = CCKS2023.tasks[sample.task_dataset]
    shot = next(s for s in SAMPLES[1:] if s.task_dataset == sample.task_dataset)
    plain = make_request(sample, task, engine, Sampling())
    others = [
        make_request(replace(sample, input=sample.input + "。"), task, engine, Sampling()),
        make_request(sample, task, engine, Sampling(), [shot]),
        make_request(sample, task, engine, Sampling(), constrained=True),
        make_request(sample, task, engine, Sampling(), max_tokens=3),
        make_request(sample, task, engine, Sampling(temperature=0.5, seed=1)),
    ]
    keys = [plain.key("model"), plain.key("other"), *(other.key("model") for other in others)]
    assert len(set(keys)) == len(keys)
    assert make_request(sample, task, engine, Sampling()).key("model") == keys[0]


def test_examples_that_do_not_fit_the_context_are_left_out() -> None:
    sample = next(s for s in SAMPLES if s.task_dataset == "MedDG")
    task = CCKS2023.tasks["MedDG"]
    long = replace(sample, sample_id="long", input="痛" * 3000)
    shots = [replace(sample, sample_id="near"), long, replace(sample, sample_id="far")]
    engine = EchoEngine(context_length=2048)
    request = make_request(sample, task, engine, Sampling(), shots)
    assert request.shots == ("near",)
    assert [message.role for message in request.messages] == ["user", "assistant", "user"]
    wide = make_request(sample, task, EchoEngine(), Sampling(), shots)
    assert wide.shots == ("near", "long", "far")
    # The nearest example stands next to the question.
    assert wide.messages[4].content == sample.input
    assert wide.messages[2].content == long.input
