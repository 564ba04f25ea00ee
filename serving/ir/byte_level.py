"""Byte-level BPE vocabularies: the stand-in characters of GPT-2, and what merges can make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache


@cache
def _bytes_of() -> dict[str, int]:
    """Character → byte.  Printable Latin-1 stands for itself, the rest for 256 and after."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    other = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {
        chr(256 + at): byte for at, byte in enumerate(other)
    }


def decoded(token: str) -> bytes:
    """The bytes that a token of stand-in characters is; one with others is its own UTF-8."""
    table = _bytes_of()
    try:
        return bytes([table[character] for character in token])
    except KeyError:
        return token.encode()


def by_id(vocabulary: Mapping[bytes, int]) -> list[bytes]:
    """The tokens in the order of their ids, b"" where an id has none.

    Raises:
        ValueError: there is no token, or an id is negative.
    """
    ids = vocabulary.values()
    if min(ids, default=-1) < 0:
        raise ValueError("the vocabulary is empty or has negative ids")
    tokens = [b""] * (max(ids) + 1)
    for token, id_ in vocabulary.items():
        tokens[id_] = token
    return tokens


def unmade(
    vocabulary: Mapping[bytes, int], pairs: Iterable[tuple[bytes, bytes]]
) -> dict[bytes, int]:
    """The tokens that no run of these merges makes, which need to be looked up whole."""
    order = {pair: at for at, pair in enumerate(pairs)}
    return {
        token: id_
        for token, id_ in vocabulary.items()
        if len(token) > 1 and len(_merged(token, order)) > 1
    }


def _merged(token: bytes, order: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    parts = [token[at : at + 1] for at in range(len(token))]
    last = len(order)
    while len(parts) > 1:
        best, place = last, -1
        for at in range(len(parts) - 1):
            rank = order.get((parts[at], parts[at + 1]), last)
            if rank < best:
                best, place = rank, at
        if place < 0:
            break
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts
