"""Logits → the next token, by the settings of a GenAI generation config."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32] | NDArray[np.float64]

# A nucleus is looked for among this many of the likeliest tokens before all of them are sorted.
_NUCLEUS = 1024


class TokenChoice:
    """Chooses the tokens of one answer.

    Penalties come first, then the ``top_k`` likeliest are kept, then the temperature applies, then
    the fewest tokens whose probabilities exceed ``top_p``: GenAI's order.  Its generator of random
    numbers is another one, so a seed repeats an answer here, not one of GenAI's.
    """

    def __init__(self, config: Any, prompt: NDArray[np.int64]) -> None:
        """``config``: openvino_genai.GenerationConfig, validated; ``prompt``: ids [tokens]."""
        self._sampled = bool(config.do_sample)
        self._temperature = float(config.temperature)
        self._top_k = int(config.top_k)
        self._top_p = float(config.top_p)
        self._repetition = float(config.repetition_penalty)
        self._presence = float(config.presence_penalty)
        self._frequency = float(config.frequency_penalty)
        self._logprobs = bool(config.logprobs)
        self._prompt = np.unique(prompt)
        self._counts: Counter[int] = Counter()
        self._random = np.random.default_rng(int(config.rng_seed))

    def choose(self, logits: NDArray[np.float32]) -> tuple[int, float]:
        """One token, and its natural-log probability by ``logits`` [vocabulary] alone, without
        penalties and temperature; 0 where none is asked for.

        Raises:
            RuntimeError: the logits are no numbers.
        """
        if not np.isfinite(logits.max()):
            raise RuntimeError("the model's logits are not finite")
        scores = self._penalised(logits)
        token = self._draw(scores) if self._sampled else int(scores.argmax())
        self._counts[token] += 1
        return token, _log_probability(logits, token) if self._logprobs else 0.0

    def _penalised(self, logits: NDArray[np.float32]) -> Scores:
        """Logits of earlier tokens are divided by the repetition penalty (negative ones are
        multiplied); presence and frequency penalties, which count the answer's tokens only, bring
        a logit nearer to zero."""
        if self._repetition == 1 and not (self._counts and (self._presence or self._frequency)):
            return logits
        scores = logits.astype(np.float64)
        answer = np.array(list(self._counts), np.int64)
        if self._repetition != 1:
            seen = np.union1d(self._prompt, answer)
            at = scores[seen]
            scores[seen] = np.where(at >= 0, at / self._repetition, at * self._repetition)
        for penalty, times in (
            (self._presence, np.ones(len(answer))),
            (self._frequency, np.array(list(self._counts.values()), np.float64)),
        ):
            at = scores[answer]
            scores[answer] = at - np.where(at >= 0, penalty, -penalty) * times
        return scores

    def _draw(self, scores: Scores) -> int:
        tokens: NDArray[np.int64] | None = None
        if 0 < self._top_k < len(scores):
            tokens = np.argpartition(scores, -self._top_k)[-self._top_k :]
            scores = scores[tokens]
        weights = np.exp((scores.astype(np.float64) - scores.max()) / self._temperature)
        if self._top_p < 1:
            kept = _nucleus(weights, self._top_p)
            tokens = kept if tokens is None else tokens[kept]
            weights = weights[kept]
        heights = weights.cumsum()
        place = int(np.searchsorted(heights, self._random.random() * heights[-1], side="right"))
        place = min(place, len(weights) - 1)
        return place if tokens is None else int(tokens[place])


def _nucleus(weights: NDArray[np.float64], share: float) -> NDArray[np.int64]:
    """The fewest places whose weights exceed ``share`` of the sum, the heaviest first."""
    wanted = share * weights.sum()
    if len(weights) > _NUCLEUS:
        heaviest = np.argpartition(weights, -_NUCLEUS)[-_NUCLEUS:]
        if weights[heaviest].sum() > wanted:
            return heaviest[_fewest(weights[heaviest], wanted)]
    return _fewest(weights, wanted)


def _fewest(weights: NDArray[np.float64], wanted: float) -> NDArray[np.int64]:
    order = np.argsort(-weights, kind="stable")
    return order[: np.searchsorted(weights[order].cumsum(), wanted, side="right") + 1]


def _log_probability(logits: NDArray[np.float32], token: int) -> float:
    above = logits.astype(np.float64) - logits.max()
    return float(above[token] - np.log(np.exp(above).sum()))
