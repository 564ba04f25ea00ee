"""Sequences of like length together, in an order that the seed and the epoch tell."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from assistant.training.batches import groups
from assistant.training.lm.tokens import Sequence_


@dataclass(frozen=True, slots=True)
class Batch:
    """``ids``, ``mask``, ``learned`` [batch, length]; ``wanted`` [batch].  Of DPO the first half of
    the rows are the chosen texts, the second half the rejected ones; of KTO the second half are
    prompts with another row's completion."""

    ids: Any
    mask: Any
    learned: Any
    wanted: Any


class Batches:
    """The batches of every epoch."""

    def __init__(
        self,
        rows: Sequence[tuple[Sequence_, ...]],
        tokens: int,
        pad: int,
        seed: int,
        place: Any,
        epochs: int = 1,
    ) -> None:
        self._rows = rows
        self._tokens = tokens
        self._pad = pad
        self._seed = seed
        self._place = place
        self._epoch, self._order = -1, list[list[int]]()
        # An epoch may have a batch more than another.
        self._starts = [0]
        for epoch in range(epochs):
            self._starts.append(self._starts[-1] + len(self._of_epoch(epoch)))
        self.steps = self._starts[-1]

    def at(self, step: int) -> Batch:
        """The batch of a step; it follows from the number alone."""
        epoch = bisect.bisect_right(self._starts, step) - 1
        return self.of(self._of_epoch(epoch)[step - self._starts[epoch]])

    def of(self, indexes: Sequence[int]) -> Batch:
        """The batch of these rows."""
        chosen = [self._rows[index] for index in indexes]
        parts = [row[side] for side in range(len(chosen[0])) for row in chosen]
        length = max(len(part.ids) for part in parts)
        ids = np.full((len(parts), length), self._pad, np.int64)
        mask = np.zeros((len(parts), length), bool)
        learned = np.zeros((len(parts), length), bool)
        for number, part in enumerate(parts):
            ids[number, : len(part.ids)] = part.ids
            mask[number, : len(part.ids)] = True
            learned[number, : len(part.ids)] = part.learned
        wanted = np.array([part.wanted for part in parts])
        return Batch(
            *(torch.from_numpy(one).to(self._place) for one in (ids, mask, learned, wanted))
        )

    def in_order(self) -> list[Batch]:
        """All rows, the shortest first: to measure on."""
        lengths = [max(len(part.ids) for part in row) for row in self._rows]
        made: list[list[int]] = [[]]
        for index in sorted(range(len(lengths)), key=lambda one: lengths[one]):
            if made[-1] and (len(made[-1]) + 1) * lengths[index] > self._tokens:
                made.append([])
            made[-1].append(index)
        return [self.of(group) for group in made if group]

    def _of_epoch(self, epoch: int) -> list[list[int]]:
        if epoch != self._epoch:
            lengths = [sum(len(part.ids) for part in row) for row in self._rows]
            random = np.random.default_rng([self._seed, 7, epoch])
            self._epoch, self._order = epoch, list(groups(lengths, self._tokens, random))
        return self._order
