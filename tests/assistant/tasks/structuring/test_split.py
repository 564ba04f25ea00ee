"""Annotated files in parts that share no text."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.training import dataset
from assistant.training.dataset import DatasetInvalid
from assistant.training.split import Record, records, split, write

TEXTS = st.lists(st.text("患者因胸痛发热咳", min_size=1, max_size=30), min_size=12, max_size=40)


def _runs(text: str, run: int) -> set[str]:
    return {text[i : i + run] for i in range(max(1, len(text) - run + 1))}


@given(TEXTS, st.integers(8, 12))
def test_no_part_shares_text_with_a_later_one(texts: list[str], run: int) -> None:
    every = [Record(text, (text,)) for text in texts]
    try:
        parts = split(every, 0.2, 0.2, [texts[0]], run)
    except DatasetInvalid:
        return
    known = [
        {part for record in group for part in _runs(record.text, run)}
        for group in (parts.train, parts.dev, parts.test)
    ]
    assert not known[0] & known[1]
    assert not known[0] & known[2]
    assert not known[1] & known[2]
    assert not known[0] & _runs(texts[0], run)
    assert parts.test == every[-len(parts.test) :]
    kept = len(parts.train) + len(parts.dev) + len(parts.test)
    assert kept + parts.left_out == len(every)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_documents_are_written_as_they_were(tmp_path: Path, suffix: str) -> None:
    bio = tmp_path / f"a.bio{suffix}"
    data = "".join(f"胸 B_症状\n痛 I_症状\n{n} O\n\n" for n in range(10)).encode()
    bio.write_bytes(gzip.compress(data) if suffix else data)
    found = records(bio)
    assert [record.text for record in found] == [f"胸痛{n}" for n in range(10)]
    parts = split(found, 0.1, 0.2)
    target = tmp_path / f"train.bio{suffix}"
    write(target, parts.train)
    assert dataset.read(target) == dataset.read(bio)[:7]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([bio.name, target.name])


def test_json_lines_keep_what_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"text": f"病历{n}", "entities": [], "of": n}) for n in range(4)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    write(tmp_path / "b.jsonl", records(path)[2:])
    assert (tmp_path / "b.jsonl").read_text(encoding="utf-8").splitlines() == lines[2:]


def test_too_few_or_wrong_documents_are_refused(tmp_path: Path) -> None:
    same = [Record("同一份病历", ("",))] * 10
    with pytest.raises(DatasetInvalid, match="a part would be empty"):
        split(same, 0.1, 0.1)
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n{"txt": 1}\n', encoding="utf-8")
    with pytest.raises(DatasetInvalid, match="line 2"):
        records(path)
