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
    before it merges anything.  Whatever stands around a token, the merges within it come in the
    order in which they come when it stands alone, so its one merge is the last of that run.
    """
    pairs: list[tuple[bytes, bytes]] = []
    whole: dict[bytes, int] = {}
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) < 2:
            continue
        parts = _last_parts(ranks, token)
        if len(parts) == 2:
            pairs.append((parts[0], parts[1]))
        else:
            whole[token] = rank
    return pairs, whole


def _last_parts(ranks: Mapping[bytes, int], token: bytes) -> list[bytes]:
    """What merging leaves of a token that stands alone, before the merge that makes it whole."""
    parts = [token[at : at + 1] for at in range(len(token))]
    while len(parts) > 2:
        found = [
            (ranks[joined], at)
            for at, joined in enumerate(map(bytes.__add__, parts, parts[1:]))
            if joined in ranks
        ]
        if not found:
            break
        _, place = min(found)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts
