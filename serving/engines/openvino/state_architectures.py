"""Models whose layers keep states of fixed size: what GenAI wants to be told of them.

A prefix can be taken up again only where a copy of the states was kept, every so many blocks of
tokens.  Left alone, GenAI spaces the copies so that they take as much memory as keys and values,
which for such models is farther apart than most prompts are long.
"""

from __future__ import annotations

from typing import Any

ARCHITECTURES = frozenset({"qwen3_5", "qwen3_5_text", "qwen3_5_moe", "qwen3_5_moe_text"})
_BLOCKS = 4


def schedule(scheduler: Any, *, drafts: bool) -> None:
    """Set a `SchedulerConfig` for such a model.  ``drafts``: tokens are drafted from the prompt,
    which GenAI does for states only where no prefix is kept."""
    scheduler.enable_prefix_caching = not drafts
    if not drafts:
        scheduler.cache_interval_multiplier = _BLOCKS
