"""Precisions are compared on the same tokens, each in a process of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
from complete_checkpoint import write_complete
from converted import EXACT
from reference import Reference
from tokenizer_samples import CLINICAL

from serving import tokenizer
from serving.ir import footprint, trial, trial_worker
from serving.ir.convert import convert
from serving.ir.formats import Precision
from serving.ir.trial import TrialError
from serving.models import manifest

TEXTS = ["".join(CLINICAL[:16]), CLINICAL[17]]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_complete(tmp_path_factory.mktemp("trial") / "source", dtype="float16")


def ids_of(folder: Path, text: str) -> np.ndarray[Any, Any]:
    _, encoder = tokenizer.load(folder)
    return np.array(tokenizer.encode(encoder, text).data[0])


def expected(source: Path, folder: Path, texts: list[str]) -> tuple[list[float], list[int]]:
    """Negative log probabilities and first choices by the numpy reference."""
    nats, likeliest = [], []
    for text in texts:
        ids = ids_of(folder, text)
        rows = Reference(source).logits(ids)[:-1]
        shifted = rows - rows.max(axis=-1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        nats += [-float(logs[place, token]) for place, token in enumerate(ids[1:])]
        likeliest += [int(row.argmax()) for row in rows]
    return nats, likeliest


def test_scores_are_those_of_the_reference(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_worker.compute, "properties", lambda *given: EXACT)
    convert(source, tmp_path / "model", Precision("fp32"))
    found = trial_worker.measure(tmp_path / "model", TEXTS, 10_000)
    nats, likeliest = expected(source, tmp_path / "model", TEXTS)
    # Several pieces, so that what a piece begins with depends on those before it.
    assert found.scored == len(nats) > 2 * trial_worker.PIECE
    assert found.nats == pytest.approx(sum(nats), rel=1e-5)
    assert found.likeliest == likeliest
    assert found.prompt_speed > 0
    assert found.decode_speed > 0
    assert found.resident > 10_000_000


def test_no_more_tokens_are_scored_than_wanted(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "model")
    assert trial_worker.measure(tmp_path / "model", TEXTS, 40).scored == 39
    first = len(ids_of(tmp_path / "model", TEXTS[0]))
    # A second text begins anew: its first token is not predicted either.
    assert trial_worker.measure(tmp_path / "model", TEXTS, first + 10).scored == first + 8


class Encoder:
    """A tokenizer of one token a character, with special tokens before or behind the text."""

    def __init__(self, before: list[int], behind: list[int]) -> None:
        self._before = before
        self._behind = behind

    def encode(self, text: str, add_special_tokens: bool) -> Any:
        ids = [ord(character) for character in text]
        whole = [*self._before, *ids, *self._behind] if add_special_tokens else ids
        data = np.array([whole], np.int64)
        return SimpleNamespace(input_ids=SimpleNamespace(data=data))


@pytest.mark.parametrize(
    ("before", "behind", "begin"), [([], [], 1), ([7], [], 1), ([7, 8], [], 2), ([], [7, 8], 2)]
)
def test_what_the_model_wants_first_comes_first_and_is_not_scored(
    before: list[int], behind: list[int], begin: int
) -> None:
    texts = ["abc", "", "z", "defg"]
    found = list(trial_worker._samples(Encoder(before, behind), texts, 100, 50))
    special = [*before, *behind]
    rows = [[*special, *map(ord, text)] for text in texts if len(text) + len(special) > begin]
    assert [ids.tolist() for ids, _ in found] == rows
    assert {first for _, first in found} == {begin}


def test_texts_are_cut_to_the_context() -> None:
    found = list(trial_worker._samples(Encoder([7], []), ["abcdef", "ghi"], 100, 4))
    assert [ids.tolist() for ids, _ in found] == [[7, 97, 98, 99], [7, 103, 104, 105]]


def test_texts_without_tokens_are_refused(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "model")
    with pytest.raises(ValueError, match="two tokens"):
        trial_worker.measure(tmp_path / "model", ["", "\n"[:0]], 100)


def test_precisions_are_compared_with_the_checkpoints_own(source: Path, tmp_path: Path) -> None:
    told: list[str] = []
    found = trial.compare(
        source,
        [Precision("int4", 32, head="int4", embedding="int4"), Precision("int8")],
        TEXTS,
        tmp_path,
        lambda done, total, what: told.append(what),
    )
    names = [outcome.name for outcome in found.outcomes]
    assert names == ["fp16", "int8", "int4-g32-head-int4-embedding-int4"]
    assert (found.reference, found.note) == ("fp16", "")
    full, eight, four = found.outcomes
    assert full.agreement == 1.0
    assert 0.85 < eight.agreement <= 1.0
    assert four.agreement < eight.agreement
    assert eight.perplexity == pytest.approx(full.perplexity, rel=0.05)
    assert full.stored_bytes > eight.stored_bytes > four.stored_bytes
    assert all(outcome.resident_bytes and not outcome.problem for outcome in found.outcomes)
    assert found.tokens > 100
    assert list(tmp_path.iterdir()) == []
    assert "int8: measuring" in told


def test_converted_folders_can_be_kept(source: Path, tmp_path: Path) -> None:
    trial.compare(source, [], ["咳嗽、咳痰3天。"], tmp_path, keep=True)
    assert manifest.is_prepared(tmp_path / "fp16")


def available(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=size))


def test_where_the_reference_does_not_fit_the_fullest_that_does_stands_in(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, architecture = trial.load(source, "")
    eight = footprint.needed_memory(architecture, Precision("int8"))
    assert eight < footprint.needed_memory(architecture, Precision("fp16"))
    available(monkeypatch, eight + 1)
    found = trial.compare(source, [Precision("int8")], ["发热、咳嗽3天。"], tmp_path)
    left_out, measured = found.outcomes
    assert "memory" in left_out.problem
    assert (found.reference, measured.agreement) == ("int8", 1.0)
    assert found.note.startswith("fp16 was left out")
    assert "int8" in found.note


def test_where_nothing_fits_it_says_so(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    available(monkeypatch, 1_000)
    with pytest.raises(TrialError, match=r"int4.*memory"):
        trial.compare(source, [Precision()], ["发热"], tmp_path)


def test_a_process_that_is_killed_is_a_sentence(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*given: Any, **more: Any) -> Any:
        return subprocess.CompletedProcess(given, -9, stdout=b"")

    monkeypatch.setattr(trial.subprocess, "run", killed)
    with pytest.raises(TrialError, match="out of memory"):
        trial.compare(source, [Precision()], ["发热"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_converted_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrialError, match="absent"):
        trial.compare(tmp_path / "absent", [Precision()], ["发热"], tmp_path)


@pytest.mark.parametrize(
    ("precision", "name"),
    [
        (Precision(), "int4-g128"),
        (Precision("int4", 0, symmetric=True), "int4-channel-symmetric"),
        (Precision("int4", 64, int8_share=0.2, head="fp16"), "int4-g64-share0.2-head-fp16"),
        (Precision("bf16", head="int4"), "bf16"),
    ],
)
def test_names_tell_precisions_apart(precision: Precision, name: str) -> None:
    assert trial.label(precision) == name


@pytest.mark.parametrize(
    ("dtype", "name"), [("float32", "fp32"), ("bfloat16", "bf16"), ("float16", "fp16")]
)
def test_the_own_precision_is_that_of_the_tensors(tmp_path: Path, dtype: Any, name: str) -> None:
    checkpoint, _ = trial.load(write_complete(tmp_path, dtype=dtype), "")
    assert trial.label(trial._own_precision(checkpoint)) == name
