"""Answers held to a grammar or a JSON schema, by masking the scores of tokens that do not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import torch

from .service import Refused


class Constraint:
    """What one answer may still say."""

    def __init__(self, matcher: Any, mask: torch.Tensor) -> None:
        self._matcher = matcher
        self._mask = mask

    def admitted(self, scores: torch.Tensor) -> torch.Tensor:
        """Scores (vocabulary,), minus infinity for every token that does not fit."""
        import xgrammar

        self._matcher.fill_next_token_bitmask(self._mask)
        found = scores.clone().unsqueeze(0)
        xgrammar.apply_token_bitmask_inplace(found, self._mask)
        return found[0]

    def take(self, token: int) -> None:
        """The answer goes on with ``token``."""
        self._matcher.accept_token(token)


class Grammars:
    """Compiles constraints for one model; what was compiled is kept."""

    def __init__(self, vocabulary: Sequence[bytes], size: int, end_ids: Set[int]) -> None:
        """``vocabulary``: bytes by token id; ``size``: how many scores the model gives."""
        import xgrammar

        self._size = size
        known = xgrammar.TokenizerInfo(
            list(vocabulary[:size]),
            xgrammar.VocabType.RAW,
            vocab_size=size,
            stop_token_ids=sorted(end_ids),
        )
        self._compiler = xgrammar.GrammarCompiler(known, max_threads=2)

    def constraint(self, asked: Mapping[str, str]) -> Constraint:
        """``asked``: ``grammar`` (EBNF) or ``json_schema``, as text.

        Raises:
            Refused: it cannot be compiled.
        """
        import xgrammar

        try:
            compiled = (
                self._compiler.compile_grammar(asked["grammar"])
                if "grammar" in asked
                else self._compiler.compile_json_schema(asked["json_schema"])
            )
        except (RuntimeError, ValueError) as error:
            raise Refused("The model cannot be held to this JSON schema or grammar.") from error
        mask = xgrammar.allocate_token_bitmask(1, self._size)
        return Constraint(xgrammar.GrammarMatcher(compiled), mask)
