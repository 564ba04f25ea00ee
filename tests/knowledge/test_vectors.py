"""Vectors that come after their base: search by words meanwhile, a run that was killed goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from knowledge_sample import sample_sources

from knowledge.base import KnowledgeBase
from knowledge.vectors import OtherEncoder, add_vectors, are_waited_for
from serving.encoder.text_encoder import HashingEncoder, Vectors

ROOT = Path(__file__).parent.parent.parent
SLOW = """
import sys, time
from pathlib import Path
from knowledge.retrieval import embedding_cache
from knowledge.vectors import add_vectors
from serving.encoder.text_encoder import HashingEncoder

class Slow(HashingEncoder):
    def passages(self, texts):
        time.sleep(0.2)
        return super().passages(texts)

embedding_cache.BATCH = 4
base = Path(sys.argv[1])
cache = base.parent / "embeddings.sqlite"
add_vectors(base, Slow(), cache, lambda done, total: print(done, flush=True))
"""


class CountingEncoder(HashingEncoder):
    """Counts the passages that it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded = 0

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.embedded += len(texts)
        return super().passages(texts)


@pytest.fixture
def waiting(tmp_path: Path) -> KnowledgeBase:
    return KnowledgeBase.build(sample_sources(), tmp_path, HashingEncoder(), vectors=False)


def add(base: KnowledgeBase, encoder: HashingEncoder) -> None:
    add_vectors(base.folder, encoder, base.folder.parent / "embeddings.sqlite", lambda *_: None)


def test_a_base_without_its_vectors_searches_by_words_and_says_so(waiting: KnowledgeBase) -> None:
    assert (waiting.retrieval, waiting.waits_for_vectors) == ("lexical", True)
    assert "lexical only" in str(waiting.notice)
    hits = waiting.index.search("肺炎", 3)
    assert hits[0].passage.subject == "肺炎"
    assert all(hit.dense_rank is None for hit in hits)
    assert not waiting.take_vectors()


def test_an_open_base_takes_the_vectors_that_come(
    waiting: KnowledgeBase, tmp_path_factory: pytest.TempPathFactory
) -> None:
    add(waiting, HashingEncoder())
    assert waiting.retrieval == "lexical"
    assert waiting.take_vectors()
    assert (waiting.retrieval, waiting.notice) == ("hybrid", None)
    whole = KnowledgeBase.build(sample_sources(), tmp_path_factory.mktemp("kb"), HashingEncoder())
    assert whole.version == waiting.version
    for query in ("肺炎", "胸痛 心电图"):
        assert waiting.index.search(query) == whole.index.search(query)
    assert KnowledgeBase.open(waiting.folder.parent, HashingEncoder()).retrieval == "hybrid"


def test_building_again_adds_the_vectors_that_are_waited_for(waiting: KnowledgeBase) -> None:
    encoder = CountingEncoder()
    built = KnowledgeBase.build(sample_sources(), waiting.folder.parent, encoder)
    assert built.retrieval == "hybrid"
    assert built.folder == waiting.folder
    assert encoder.embedded > 0


def test_what_was_embedded_before_a_kill_is_not_embedded_again(waiting: KnowledgeBase) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(waiting.folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert run.stdout is not None
    for line in run.stdout:
        if int(line) >= 8:
            break
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert are_waited_for(waiting.folder)
    assert not waiting.take_vectors()
    counts: list[tuple[int, int]] = []
    encoder = CountingEncoder()
    cache = waiting.folder.parent / "embeddings.sqlite"
    add_vectors(waiting.folder, encoder, cache, lambda *count: counts.append(count))
    whole = CountingEncoder()
    KnowledgeBase.build(sample_sources(), waiting.folder.parent / "other", whole)
    assert 0 < encoder.embedded <= whole.embedded - 8
    assert counts[-1] == (encoder.embedded, encoder.embedded)
    assert waiting.take_vectors()


def test_another_encoder_than_the_base_waits_for_is_refused(waiting: KnowledgeBase) -> None:
    with pytest.raises(OtherEncoder, match="hashing-1-512"):
        add(waiting, HashingEncoder(dim=32))
    assert are_waited_for(waiting.folder)


def test_a_base_that_does_not_wait_is_left_alone(waiting: KnowledgeBase) -> None:
    add(waiting, HashingEncoder())
    before = {path: path.stat().st_mtime_ns for path in waiting.folder.iterdir()}
    encoder = CountingEncoder()
    add(waiting, encoder)
    assert encoder.embedded == 0
    assert {path: path.stat().st_mtime_ns for path in waiting.folder.iterdir()} == before


def worker(*arguments: str) -> tuple[int, list[dict[str, object]]]:
    """The worker's exit status and lines, with its input left open."""
    with subprocess.Popen(
        [sys.executable, "-m", "knowledge.vector_worker", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as run:
        assert run.stdout is not None
        lines = [json.loads(line) for line in run.stdout]
    return run.returncode, lines


def test_the_worker_tells_how_far_it_is(waiting: KnowledgeBase) -> None:
    status, lines = worker(str(waiting.folder), "hashing")
    assert status == 0
    assert lines[0]["done"] == 0
    assert lines[-1]["done"] == lines[-1]["total"] != 0
    assert waiting.take_vectors()


def test_the_worker_says_why_it_cannot(waiting: KnowledgeBase) -> None:
    status, lines = worker(str(waiting.folder), "unknown")
    assert status == 1
    assert "unknown" in str(lines[-1]["failed"])


def test_the_worker_ends_with_the_process_that_started_it(waiting: KnowledgeBase) -> None:
    cache = waiting.folder.parent / "embeddings.lock"
    with cache.open("w") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)  # it waits for this one
        run = subprocess.run(
            [sys.executable, "-m", "knowledge.vector_worker", str(waiting.folder), "hashing"],
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            timeout=60,
            check=False,
        )
    assert run.returncode == 1
    assert are_waited_for(waiting.folder)
