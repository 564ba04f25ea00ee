"""What a run must reach: ``overall>=60``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_FORM = re.compile(r"\s*(?P<name>[^<>=]+?)\s*(?P<sign>>=|>)\s*(?P<points>-?[0-9]+(\.[0-9]+)?)\s*")


class GateInvalid(ValueError):
    """The text is no gate; the message says how one is written."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A score and the points that it must reach (``>=``) or exceed (``>``)."""

    name: str
    sign: str
    points: float

    def __str__(self) -> str:
        return f"{self.name}{self.sign}{self.points:g}"

    def unmet(self, scores: Mapping[str, float]) -> str:
        """Why ``scores`` do not meet it; empty where they do.  A score that is not there is none.

        NaN meets no gate.
        """
        reached = scores.get(self.name)
        if reached is None:
            return f"{self.name}: the run has no such score"
        met = reached >= self.points if self.sign == ">=" else reached > self.points
        return "" if met else f"{self.name} {reached:.4f} is not {self.sign} {self.points:g}"


def parse_gate(text: str) -> Gate:
    """Raises `GateInvalid`."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise GateInvalid(f"{text!r}: write a score, >= or >, and points, as in overall>=60")
    return Gate(match["name"], match["sign"], float(match["points"]))
