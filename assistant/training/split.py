"""Annotated files in parts that share no text: to train on, to choose by, to test once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.training.dataset import DatasetInvalid, read_lines
from assistant.whole_file import whole


@dataclass(frozen=True, slots=True)
class Record:
    """One document of a file: its text, and its lines as they are."""

    text: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """``left_out``: documents that would share text with a later part."""

    train: list[Record]
    dev: list[Record]
    test: list[Record]
    left_out: int


def records(path: Path) -> list[Record]:
    """The documents of a file of JSON lines with ``text``, or of BIO; .gz too.

    Raises:
        DatasetInvalid: the file cannot be read, or a line of it has no text.
    """
    lines = read_lines(path)
    first = next((line for _, line in lines if line.strip()), "")
    read = _json if first.lstrip().startswith("{") else _bio
    found = list(read(path, lines))
    if not found:
        raise DatasetInvalid(f"{path} holds no document.")
    return found


def split(
    every: Sequence[Record], dev: float, test: float, apart: Iterable[str] = (), run: int = 40
) -> Parts:
    """The documents in their order: the last ``test`` share, before it ``dev``, the rest.

    Two texts share text where ``run`` characters in a row are the same, spaces left out; shorter
    ones where they are the same as a whole.

    A document of the rest that shares text with one of the others, or with a text of ``apart``, is
    left out, and so is one of the dev part that shares text with the test part.

    Raises:
        DatasetInvalid: a part would be empty.
    """
    tested, held = round(len(every) * test), round(len(every) * dev)
    end = len(every) - tested
    last, middle, first = every[end:], every[end - held : end], every[: max(0, end - held)]
    known = SharedText((record.text for record in last), run)
    kept = [record for record in middle if not known.holds(record.text)]
    known.add(record.text for record in kept)
    known.add(apart)
    rest = [record for record in first if not known.holds(record.text)]
    if not rest or (dev and not kept) or (test and not last):
        raise DatasetInvalid(
            f"{len(every)} documents cannot be split by {dev} and {test}: a part would be empty."
        )
    return Parts(rest, kept, list(last), len(every) - len(rest) - len(kept) - len(last))


def write(path: Path, part: Sequence[Record]) -> None:
    """The documents in the form that they had, compressed where the name ends in .gz."""
    bio = not part[0].lines[0].lstrip().startswith("{")
    text = "".join(
        "".join(f"{line}\n" for line in record.lines) + ("\n" if bio else "") for record in part
    )
    data = text.encode("utf-8")
    with whole(path) as partial:
        partial.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


class SharedText:
    """Runs of characters of some texts, to tell whether another shares one."""

    def __init__(self, texts: Iterable[str], run: int) -> None:
        self._run = run
        self._known: set[str] = set()
        self.add(texts)

    def add(self, texts: Iterable[str]) -> None:
        """Know these texts too."""
        for text in texts:
            self._known.update(self._runs(text))

    def holds(self, text: str) -> bool:
        """Whether ``text`` shares a run with what is known."""
        return not self._known.isdisjoint(self._runs(text))

    def _runs(self, text: str) -> Iterator[str]:
        bare = "".join(text.split())
        for start in range(max(1, len(bare) - self._run + 1)):
            yield bare[start : start + self._run]


def _json(path: Path, lines: Sequence[tuple[int, str]]) -> Iterator[Record]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
            if not isinstance(text, str):
                raise TypeError
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetInvalid(f"{path}, line {number}: not an object with text.") from error
        yield Record(text, (line,))


def _bio(path: Path, lines: Sequence[tuple[int, str]]) -> Iterator[Record]:
    block: list[str] = []
    for _, line in [*lines, (0, "")]:
        if line.strip():
            block.append(line)
        elif block:
            yield Record("".join(one[0] for one in block), tuple(block))
            block = []
