"""An engine for evaluations: an answer that was broken off is none, and tokens are counted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from eval.run.progress import Counts
from serving.engine import Chunk, Engine, EngineError, ModelCard, Prompt, Sampling


class WholeAnswers(Engine):
    """``engine`` with broken-off answers as failures and its new tokens added to ``counts``."""

    def __init__(self, engine: Engine, counts: Counts) -> None:
        self._engine = engine
        self._counts = counts

    @property
    def card(self) -> ModelCard:
        """The engine's."""
        return self._engine.card

    def count_tokens(self, text: str) -> int:
        """As the engine counts."""
        return self._engine.count_tokens(text)

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        """The engine's chunks.  Raises what it raises, and EngineError for a broken-off answer."""
        async for chunk in self._engine.generate(prompt, sampling, schema):
            if chunk.finish_reason == "cancelled":
                raise EngineError("the answer was broken off")
            if chunk.usage is not None:
                self._counts.tokens += chunk.usage.new_tokens
            yield chunk
