"""The rank file of tiktoken: a line a token, its bytes in base64 and its rank."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping


def parse(data: bytes) -> dict[bytes, int]:
    """Token → rank, which is its id too.

    Raises:
        ValueError: a line is not of this form, or two tokens share a rank.
    """
    ranks: dict[bytes, int] = {}
    for line in data.splitlines():
        if not line.strip():
            continue
        token, rank = line.split()
        try:
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except binascii.Error as error:
            raise ValueError("a token is not base64") from error
    if len(set(ranks.values())) != len(ranks) or min(ranks.values(), default=-1) < 0:
        raise ValueError("there are no ranks, or they are not unique")
    return ranks


def merges(ranks: Mapping[bytes, int]) -> tuple[list[tuple[bytes, bytes]], dict[bytes, int]]:
    """The merges that these ranks stand for, in order, and the tokens that no merge makes.

    tiktoken merges the adjacent pair whose joined text ranks lowest, and looks a word up whole
    before it merges anything.  When a pair is merged, each of its halves has been made of its
    own bytes alone by lower ranks only, so a token's one merge is what lower ranks leave of it.
    """
    pairs: list[tuple[bytes, bytes]] = []
    whole: dict[bytes, int] = {}
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) < 2:
            continue
        parts = _merge(ranks, token, rank)
        if len(parts) == 2:
            pairs.append((parts[0], parts[1]))
        else:
            whole[token] = rank
    return pairs, whole


def _merge(ranks: Mapping[bytes, int], token: bytes, limit: int) -> list[bytes]:
    parts = [token[at : at + 1] for at in range(len(token))]
    while len(parts) > 2:
        best, place = limit, -1
        for at in range(len(parts) - 1):
            rank = ranks.get(parts[at] + parts[at + 1], limit)
            if rank < best:
                best, place = rank, at
        if place < 0:
            break
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts
