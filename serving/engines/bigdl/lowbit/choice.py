"""How the next token is chosen from the model's scores."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .constraint import Constraint


class Choice:
    """The settings of one request, its own random numbers, and what it has said so far."""

    def __init__(
        self,
        sampling: Mapping[str, Any],
        prompt: Sequence[int],
        constraint: Constraint | None = None,
    ) -> None:
        self._constraint = constraint
        self._temperature = float(sampling["temperature"])
        self._top_p = float(sampling["top_p"])
        self._top_k = int(sampling["top_k"])
        self._repetition = float(sampling["repetition_penalty"])
        self._presence = float(sampling["presence_penalty"])
        self._frequency = float(sampling["frequency_penalty"])
        self._logprobs = bool(sampling["logprobs"])
        self._seen = set(prompt)
        self._said: dict[int, int] = {}
        self._random = torch.Generator()
        seed = sampling["seed"]
        self._random.manual_seed(secrets.randbits(62) if seed is None else int(seed) % 2**63)

    def take(self, scores: torch.Tensor) -> tuple[int, float | None]:
        """The token, and its natural-log probability where it was asked for.

        ``scores``: logits, float32 (vocabulary,).
        """
        allowed = self._constraint.admitted(scores) if self._constraint else scores
        token = self._pick(self._penalised(allowed))
        if self._constraint:
            self._constraint.take(token)
        self._seen.add(token)
        self._said[token] = self._said.get(token, 0) + 1
        if not self._logprobs:
            return token, None
        return token, float(torch.log_softmax(scores, -1)[token])

    def _penalised(self, scores: torch.Tensor) -> torch.Tensor:
        scores = scores.clone()
        if self._repetition != 1.0:
            ids = torch.tensor(sorted(self._seen))
            kept = scores[ids]
            scores[ids] = torch.where(kept > 0, kept / self._repetition, kept * self._repetition)
        if self._said and (self._presence or self._frequency):
            ids = torch.tensor(list(self._said))
            counts = torch.tensor(list(self._said.values()), dtype=torch.float32)
            scores[ids] -= self._presence + self._frequency * counts
        return scores

    def _pick(self, scores: torch.Tensor) -> int:
        if self._temperature == 0:
            return int(scores.argmax())
        scores, ids = torch.sort(scores / self._temperature, descending=True)
        if self._top_k > 0:
            scores, ids = scores[: self._top_k], ids[: self._top_k]
        chances = torch.softmax(scores, -1)
        # The most likely token always stays.
        before = torch.cumsum(chances, -1) - chances
        chances[1:][before[1:] >= self._top_p] = 0.0
        return int(ids[torch.multinomial(chances, 1, generator=self._random)])
