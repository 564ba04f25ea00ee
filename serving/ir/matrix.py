"""Weights as the graph wants them, named by where their rows lie in the checkpoint.

A checkpoint stores what its authors trained (query, key and value apart or interleaved by head);
the graph wants one matrix a step.  A `Matrix` says which rows of which tensors it is made of, so
that it can be read block by block and never needs to be whole in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Stored = NDArray[np.floating[Any]]
Order = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Codes:
    """Four-bit codes of a projection, as somebody has chosen them already.

    ``packed`` uint8 [rows, columns / 2], two neighbours of a row a byte, the earlier in the low
    nibble; ``scale`` float16 and ``zero`` uint8 [rows, groups], of ``group`` neighbours each.
    """

    packed: NDArray[np.uint8]
    scale: NDArray[np.float16]
    zero: NDArray[np.uint8]
    group: int

    def of(self, rows: slice | Order) -> Codes:
        """Those of some rows."""
        return Codes(self.packed[rows], self.scale[rows], self.zero[rows], self.group)


class Reader(Protocol):
    """What a `Matrix` needs of a checkpoint."""

    def expect(self, name: str, shape: tuple[int, ...]) -> None:
        """Raise unless the tensor is there and has this shape."""

    def file(self, name: str) -> Path:
        """The file that a tensor lies in."""

    def stored(self, name: str, rows: slice | Order | None = None) -> Stored:
        """A tensor `as_rows`, or some of its rows, as float32, or as float16 where that is
        quicker."""

    def codes(self, name: str) -> Codes | None:
        """The codes that a tensor is stored as, where they can be kept as they are."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows of one tensor: all of it in ``order`` (None: as stored).

    ``shape`` is what the tensor must have: (rows, columns), (rows,) for a vector, or more axes,
    which are read `as_rows`.
    """

    name: str
    shape: tuple[int, ...]
    order: Order | None = None

    @property
    def rows(self) -> int:
        """Rows that this segment gives."""
        return as_rows(self.shape)[0] if self.order is None else len(self.order)

    def stored(self, reader: Reader, start: int, stop: int) -> Stored:
        """Rows ``start`` to ``stop`` of this segment; float16 stays float16."""
        if self.order is None:
            return reader.stored(self.name, slice(start, stop))
        return reader.stored(self.name, self.order[start:stop])


@dataclass(frozen=True, slots=True)
class Matrix:
    """Segments below one another: a matrix (rows, columns), or a vector (rows,)."""

    segments: tuple[Segment, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the whole."""
        columns = as_rows(self.segments[0].shape)[1:]
        return (sum(part.rows for part in self.segments), *columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Tensors that this is made of."""
        return tuple(dict.fromkeys(part.name for part in self.segments))

    def check(self, reader: Reader) -> None:
        """Raise unless every tensor is in the checkpoint in its shape."""
        for part in self.segments:
            reader.expect(part.name, part.shape)

    def rows(self, reader: Reader, wanted: slice) -> Floats:
        """Some rows of the whole, float32."""
        return self.stored(reader, wanted).astype(np.float32, copy=False)

    def stored(self, reader: Reader, wanted: slice) -> Stored:
        """Some rows of the whole; float16 stays float16, where every tensor of them is."""
        parts, top = [], 0
        for part in self.segments:
            start, stop = max(wanted.start - top, 0), min(wanted.stop - top, part.rows)
            if start < stop:
                parts.append(part.stored(reader, start, stop))
            top += part.rows
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def codes(self, reader: Reader) -> Codes | None:
        """The codes of the whole, where every tensor of it is stored as such, in one group."""
        found = []
        for part in self.segments:
            codes = reader.codes(part.name)
            if codes is None:
                return None
            found.append(codes if part.order is None else codes.of(part.order))
        if len({codes.group for codes in found}) > 1:
            return None
        if len(found) == 1:
            return found[0]
        return Codes(
            np.concatenate([codes.packed for codes in found]),
            np.concatenate([codes.scale for codes in found]),
            np.concatenate([codes.zero for codes in found]),
            found[0].group,
        )

    def where(self, reader: Reader, row: int) -> str:
        """In words: the file, the tensor and its own row that ``row`` of the whole is."""
        for part in self.segments:
            if row < part.rows:
                own = row if part.order is None else int(part.order[row])
                return f"{reader.file(part.name)}: the tensor {part.name}, row {own}"
            row -= part.rows
        raise IndexError(row)

    def read(self, reader: Reader) -> Floats:
        """The whole, float32."""
        return self.rows(reader, slice(0, self.shape[0]))


def as_rows(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(rows, columns) of a tensor with all axes but the last in one; a vector stays one."""
    return shape if len(shape) < 2 else (prod(shape[:-1]), shape[-1])


def whole(name: str, *shape: int) -> Matrix:
    """A tensor as it is."""
    return Matrix((Segment(name, shape),))


def part(name: str, shape: tuple[int, int, int], first: int, count: int) -> Matrix:
    """Rows from ``first`` on of every matrix in a tensor of several, below one another."""
    several, rows, _ = shape
    begin = rows * np.arange(several, dtype=np.int64)[:, np.newaxis]
    order = (begin + first + np.arange(count, dtype=np.int64)).reshape(-1)
    return Matrix((Segment(name, shape, None if count == rows else order),))


def stack(*parts: Matrix) -> Matrix:
    """Matrices below one another."""
    return Matrix(tuple(segment for part in parts for segment in part.segments))
