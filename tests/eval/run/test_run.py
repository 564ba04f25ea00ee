"""A run goes on where it was left, whatever stopped it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from promptcblue_sets import gold, gold_path

from eval.errors import EvalError
from eval.promptcblue.tracks import CCKS2023
from eval.run.asking import Patience
from eval.run.cache import Cache
from eval.run.execute import Outcome
from eval.run.few_shot import LexicalRetriever
from eval.run.model import OpenModel
from eval.run.run import (
    PREDICTIONS,
    RUN,
    SAMPLES,
    SUBMISSION,
    RunSettings,
    read_answers,
    read_run,
    start,
)
from serving.engine import EngineError
from serving.engines.echo import EchoEngine

SAMPLE_SET = gold(CCKS2023)
BY_PROMPT = {sample.input: sample.target for sample in SAMPLE_SET}


def go(
    folder: Path, engine: EchoEngine | None = None, cache: Cache | None = None, **changes: Any
) -> Outcome:
    settings = RunSettings(CCKS2023, SAMPLE_SET, **changes)
    opened = OpenModel(engine or EchoEngine(max_running=8))
    return start(folder, settings, opened, cache=cache, patience=Patience(), quiet=True)


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / PREDICTIONS).read_text("utf-8").splitlines()]


def test_every_sample_is_answered_once(tmp_path: Path) -> None:
    outcome = go(tmp_path / "r", EchoEngine(BY_PROMPT.__getitem__))
    assert outcome.counts.answered == len(SAMPLE_SET)
    assert not outcome.problems
    written = rows(tmp_path / "r")
    assert {row["sample_id"] for row in written} == {s.sample_id for s in SAMPLE_SET}
    assert all(row["target"] == BY_PROMPT[row["input"]] for row in written)
    assert all(row["usage"]["new_tokens"] > 0 for row in written if row["target"])
    submitted = (tmp_path / "r" / SUBMISSION).read_text("utf-8").splitlines()
    assert [json.loads(line)["sample_id"] for line in submitted] == [
        s.sample_id for s in SAMPLE_SET
    ]
    run = read_run(tmp_path / "r")
    assert run["samples"] == len(SAMPLE_SET)
    assert len(run["model_sha256"]) == len(run["data_sha256"]) == 64


def test_a_run_goes_on_from_any_line(tmp_path: Path) -> None:
    go(tmp_path / "whole")
    go(tmp_path / "cut")
    path = tmp_path / "cut" / PREDICTIONS
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:20]) + lines[20][:30])
    outcome = go(tmp_path / "cut")
    assert (outcome.counts.earlier, outcome.counts.answered) == (20, len(SAMPLE_SET) - 20)
    answers = [
        sorted((r["sample_id"], r["target"]) for r in rows(tmp_path / name))
        for name in ("whole", "cut")
    ]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "changes", [{"constrained": True}, {"max_tokens": 9}, {"shots": 1, "retrieval": "lexical"}]
)
def test_another_run_in_the_same_folder_is_refused(tmp_path: Path, changes: Any) -> None:
    go(tmp_path / "r")
    with pytest.raises(EvalError, match=next(iter(changes))):
        go(tmp_path / "r", **changes)
    assert go(tmp_path / "r", parallel=2, command="another line").counts.answered == 0


def test_what_a_run_says_of_itself_may_not_be_lost(tmp_path: Path) -> None:
    go(tmp_path / "r")
    (tmp_path / "r" / RUN).unlink()
    with pytest.raises(EvalError, match=r"without run\.json"):
        go(tmp_path / "r")
    with pytest.raises(EvalError, match="holds no run"):
        read_run(tmp_path)


def test_the_cache_answers_a_second_run_and_not_another_model(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c.sqlite")
    go(tmp_path / "a", cache=cache)
    again = go(tmp_path / "b", cache=cache)
    assert (again.counts.cached, again.counts.answered) == (len(SAMPLE_SET), 0)
    assert all(row["from_cache"] for row in rows(tmp_path / "b"))
    other = go(tmp_path / "c", EchoEngine(name="another"), cache=cache)
    assert other.counts.cached == 0
    constrained = go(tmp_path / "d", cache=cache, constrained=True)
    # Only the task without a grammar is asked for the same as before.
    free = sum(s.task_dataset == "MedDG" for s in SAMPLE_SET)
    assert constrained.counts.cached == free
    cache.close()


def test_answers_of_weights_that_are_not_pinned_down_are_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c.sqlite")
    settings = RunSettings(CCKS2023, SAMPLE_SET[:4])
    for name in "ab":
        opened = OpenModel(EchoEngine(), fixed=False)
        outcome = start(tmp_path / name, settings, opened, cache=cache, quiet=True)
        assert outcome.counts.answered == 4
    cache.close()


def test_examples_are_shown_and_named(tmp_path: Path) -> None:
    retriever = LexicalRetriever(SAMPLE_SET)
    go(tmp_path / "r", shots=2, retriever=retriever, retrieval="lexical")
    assert {len(row["shots"]) for row in rows(tmp_path / "r")} == {2}


class Breaking(EchoEngine):
    """Fails for good on one prompt, and on each other one at its first try."""

    def __init__(self) -> None:
        super().__init__(self._say)
        self.seen: set[str] = set()

    def _say(self, prompt: str) -> str:
        if prompt not in self.seen or prompt == SAMPLE_SET[3].input:
            self.seen.add(prompt)
            raise EngineError("broken off")
        return "答案"


def test_a_failure_is_never_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(seconds: float) -> None:
        return None

    monkeypatch.setattr("eval.run.asking.pause", at_once)
    outcome = go(tmp_path / "r", Breaking())
    bad = SAMPLE_SET[3].sample_id
    assert set(outcome.problems) == {bad}
    assert bad not in {row["sample_id"] for row in rows(tmp_path / "r")}
    assert {row["attempts"] for row in rows(tmp_path / "r")} == {2}
    assert not (tmp_path / "r" / SUBMISSION).exists()
    # The model is well again: only that one is asked.
    again = go(tmp_path / "r")
    assert (again.counts.earlier, again.counts.answered) == (len(SAMPLE_SET) - 1, 1)
    assert (tmp_path / "r" / SUBMISSION).exists()


def test_a_prompt_that_does_not_fit_is_written_as_such(tmp_path: Path) -> None:
    outcome = go(tmp_path / "r", EchoEngine(context_length=120))
    assert outcome.problems
    failed = [row for row in rows(tmp_path / "r") if "failed" in row]
    assert {row["sample_id"] for row in failed} == set(outcome.problems)
    assert all("target" not in row for row in failed)
    assert all("prompt too long" in row["failed"] for row in failed)


_SLOW = """
import sys
from pathlib import Path
from eval.promptcblue.sample import read_samples
from eval.promptcblue.tracks import CCKS2023
from eval.run.model import OpenModel
from eval.run.run import RunSettings, start
from serving.engines.echo import EchoEngine
samples = read_samples(Path(sys.argv[1]))
opened = OpenModel(EchoEngine(max_running=8, seconds_per_word=float(sys.argv[3])))
settings = RunSettings(CCKS2023, samples, parallel=4)
print(start(Path(sys.argv[2]), settings, opened, quiet=True).counts.earlier)
"""


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "r"

    def command(seconds_per_word: float) -> list[str]:
        gold_file = str(gold_path(CCKS2023))
        return [sys.executable, "-c", _SLOW, gold_file, str(folder), str(seconds_per_word)]

    first = subprocess.Popen(command(0.002), stdout=subprocess.PIPE)
    try:
        written = folder / PREDICTIONS
        while not written.exists() or written.read_bytes().count(b"\n") < 5:
            assert first.poll() is None, "it ended before it could be killed"
            time.sleep(0.005)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    kept = (folder / PREDICTIONS).read_bytes()
    before = kept[: kept.rfind(b"\n") + 1].splitlines()
    assert 5 <= len(before) < len(SAMPLE_SET)
    _, partial = read_answers(folder, CCKS2023)
    assert len(partial) == len(before)

    second = subprocess.run(command(0.0), capture_output=True, check=True)
    assert int(second.stdout) == len(before)
    after = (folder / PREDICTIONS).read_bytes().splitlines()
    assert after[: len(before)] == before
    ids = [json.loads(line)["sample_id"] for line in after]
    assert sorted(ids) == sorted(s.sample_id for s in SAMPLE_SET)
    assert (folder / SAMPLES).exists()


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    script = (
        "import fcntl, os, sys; d = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT);"
        "fcntl.flock(d, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    )
    (tmp_path / "r").mkdir()
    lock = str(tmp_path / "r" / ".lock")
    holder = subprocess.Popen(
        [sys.executable, "-c", script, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(EvalError, match="Another run"):
            go(tmp_path / "r")
    finally:
        holder.kill()
        holder.wait()
