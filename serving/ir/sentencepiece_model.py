"""The sentencepiece model file: its pieces, read and written without the library.

The format is the message ``ModelProto`` of sentencepiece, in Protocol Buffers' wire format; the
field numbers below are those of its published definition.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

SPACE: Final = "\u2581"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_BPE = 2


class Kind(IntEnum):
    """What a piece is for."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """An entry of the vocabulary."""

    text: str
    score: float = 0.0
    kind: Kind = Kind.NORMAL

    def decoded(self) -> bytes:
        """The text that the piece stands for, as UTF-8 or one byte of it."""
        if self.kind == Kind.BYTE:
            return bytes([int(self.text[3:5], 16)])
        if self.kind == Kind.UNUSED:
            return b""
        return self.text.replace(SPACE, " ").encode()


@dataclass(frozen=True, slots=True)
class SentencePieceModel:
    """The parts of a model that a tokenizer graph needs beside the file itself."""

    pieces: list[Piece]
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True

    def find(self, text: str) -> int | None:
        """The index of the piece that reads ``text``."""
        return next((at for at, piece in enumerate(self.pieces) if piece.text == text), None)

    @property
    def leading_space(self) -> str:
        """Pattern of the white space that decoding drops at the start of a text."""
        if self.remove_extra_whitespaces:
            return "^ +"
        return "^ " if self.add_dummy_prefix else ""


def parse(data: bytes) -> SentencePieceModel:
    """Read a serialised model.

    Raises:
        ValueError: the bytes are no sentencepiece model.
    """
    pieces: list[Piece] = []
    normalizer: dict[int, int | bytes] = {}
    for number, value in _fields(data):
        if number == 1:
            pieces.append(_piece(_message(value)))
        elif number == 3:
            normalizer = dict(_fields(_message(value)))
    if not any(piece.kind == Kind.UNKNOWN for piece in pieces):
        raise ValueError("no piece for unknown text")
    return SentencePieceModel(pieces, bool(normalizer.get(3, True)), bool(normalizer.get(4, True)))


def serialise(
    pieces: Sequence[Piece], *, add_dummy_prefix: bool, remove_extra_whitespaces: bool = False
) -> bytes:
    """A BPE model of these pieces, without any normalisation but white space's.

    Texts must be unique and one piece must be of kind UNKNOWN.
    """
    unknown = next(at for at, piece in enumerate(pieces) if piece.kind == Kind.UNKNOWN)
    has_bytes = any(piece.kind == Kind.BYTE for piece in pieces)
    trainer = _number(3, _BPE) + _number(35, has_bytes) + _number(40, unknown)
    # Without these two the library looks for pieces that the vocabulary need not have.
    trainer += _number(41, -1) + _number(42, -1)
    normalizer = (
        _text(1, b"identity")
        + _number(3, add_dummy_prefix)
        + _number(4, remove_extra_whitespaces)
        + _number(5, True)
    )
    parts = [
        _text(
            1,
            _text(1, piece.text.encode())
            + b"\x15"
            + struct.pack("<f", piece.score)
            + _number(3, piece.kind),
        )
        for piece in pieces
    ]
    return b"".join([*parts, _text(2, trainer), _text(3, normalizer)])


def _piece(data: bytes) -> Piece:
    fields = dict(_fields(data))
    text, score, kind = fields.get(1, b""), fields.get(2, b"\0\0\0\0"), fields.get(3, Kind.NORMAL)
    if not isinstance(kind, int) or len(_message(score)) != 4:
        raise ValueError("a piece with a kind or score of another form")
    return Piece(
        _message(text).decode("utf-8"), struct.unpack("<f", _message(score))[0], Kind(kind)
    )


def _message(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: numbers as int, everything else as its bytes."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError("an unknown kind of field")
        if at + size > end or key < 8:
            raise ValueError("the data ends in the middle of a field")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        if at >= len(data):
            raise ValueError("the data ends in the middle of a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("a number of more than ten bytes")


def _number(field: int, value: int) -> bytes:
    return _encode(field << 3) + _encode(int(value) & (2**64 - 1))


def _text(field: int, value: bytes) -> bytes:
    return _encode(field << 3 | _BYTES) + _encode(len(value)) + value


def _encode(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
