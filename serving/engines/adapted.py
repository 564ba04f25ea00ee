"""An engine with one of its adapters, as an engine of its own: the base is in memory once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any

from serving.engine import Chunk, Engine, ModelCard, Prompt, Sampling


class AdaptedEngine(Engine):
    """Asks another engine with an adapter."""

    def __init__(self, base: Engine, adapter: str, *, owns: bool = False) -> None:
        """``owns``: whether `close` closes the base, which may serve others too."""
        self.base = base
        self._adapter = adapter
        self._owns = owns

    @property
    def card(self) -> ModelCard:
        """See `Engine.card`."""
        card = self.base.card
        return replace(
            card,
            name=f"{card.name}:{self._adapter}",
            details={**card.details, "adapter": self._adapter},
            adapters=(),
        )

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`."""
        return self.base.count_tokens(text)

    def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        """See `Engine.generate`."""
        asked = replace(sampling or Sampling(), adapter=self._adapter)
        return self.base.generate(prompt, asked, schema)

    async def close(self) -> None:
        """See `Engine.close`."""
        if self._owns:
            await self.base.close()
