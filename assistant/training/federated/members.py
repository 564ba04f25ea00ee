"""Who takes part in a federated training, by which rules, and what a round came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


class SiteRefused(Exception):
    """A site cannot take part, or its message is not taken; the message says why."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What a site says of itself: how many documents of how many characters, names of types, the
    fingerprint of its base model; nothing of a text."""

    documents: int
    characters: int
    types: tuple[str, ...] = ()
    nested: bool = False
    base: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """``sites``: names that may take part; ``least``: sites that a round needs; ``wait``: seconds
    for all to join, ``patience``: seconds for all to answer a round, after which it goes on with
    ``least``; ``factor`` of `too_long`, 0 for no bound; ``base``: fingerprint of the model that
    every site must have, empty where types are learnt and no base."""

    sites: tuple[str, ...]
    least: int = 2
    wait: float = 600.0
    patience: float = 3_600.0
    factor: float = 5.0
    base: str = ""

    def check(self, said: Joined) -> None:
        """Raise `SiteRefused` where a site has nothing to learn from, or another base."""
        if min(said.documents, said.characters) < 1 or not (self.base or said.types):
            raise SiteRefused("没有标注的训练文档。(There are no annotated documents here.)")
        if said.base != self.base:
            raise SiteRefused(
                "本站点的底座模型或训练任务与协调方不同。(This site has another base model, or "
                "another kind of training, than the coordinator.)"
            )


@dataclass(frozen=True, slots=True)
class Round:
    """What a round came to: ``score`` of the weights that it began with on all dev sets (None: not
    scored), the sites that count, that were refused, and that did not answer."""

    number: int
    score: float | None
    above: float
    accepted: tuple[str, ...]
    refused: dict[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()


def labels(joined: Sequence[Joined]) -> tuple[tuple[str, ...], bool]:
    """The types of all sites, sorted, and whether spans of any may nest."""
    return tuple(sorted({t for one in joined for t in one.types})), any(x.nested for x in joined)
