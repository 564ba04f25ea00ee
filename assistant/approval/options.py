"""From an engine's settings to the options that it runs with.

This is the only way there: the engine is opened with these options and an approval's fingerprint
is made of them, so what is approved is what runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from assistant.engine_settings import EngineSettings
from serving.engines.bigdl.engine import BigdlOptions
from serving.engines.openvino.engine import OpenVinoOptions

Options = OpenVinoOptions | BigdlOptions

IRRELEVANT: Mapping[str, str] = {
    "cache_size_gb": "memory: how many requests fit at once",
    "max_num_seqs": "how many requests share a batch",
    "max_running": "how many requests take turns",
    "queue_limit": "how many requests may wait",
    "num_threads": "how many processors share the same sums",
    "threads": "how many processors share the same sums",
    "cores": "which processors compute the same sums",
    "adapters": "which may be chosen: the one that is, is hashed with the files",
    "prefix": "its files are hashed with those of the model",
    "prompt_lookup": "speed: a token that was drafted from the prompt is kept only where the "
    "model itself would have written it",
    "draft": "speed: a token that another model guessed is kept only where the model itself would "
    "have written it",
}
"""Options that change no answer, each with the reason."""

BESIDE_OPTIONS: Mapping[str, str] = {
    "url": "of a remote engine, which cannot be approved: its weights are not on this machine",
    "api_key": "of a remote engine, which cannot be approved: its weights are not on this machine",
    "thinks_first": "of a remote engine, which cannot be approved: its weights are not on this "
    "machine",
    "demo_only": "an engine that is set to it is never approved",
    "cores": "which processors compute the same sums",
    "adapters": "which may be chosen: the one that is, is hashed with the files",
    "adapter": "its files are hashed with those of the model",
    "replicas": "how many processes compute the same sums",
    "urls": "of a remote engine, which cannot be approved: its weights are not on this machine",
}
"""Settings that reach no option of an engine that can be approved, each with the reason."""


def options(
    chosen: EngineSettings,
    cores: tuple[int, ...] = (),
    adapters: Mapping[str, str] | None = None,
) -> Options:
    """What an engine that computes on this machine runs with.

    ``cores``: the processors that ``chosen.cores`` comes to on this machine.  ``adapters``: the
    folders of ``chosen.adapters``.

    Raises:
        ValueError: it does not compute here.
    """
    if chosen.kind == "bigdl":
        return BigdlOptions(
            environment=chosen.environment,
            low_bit=chosen.low_bit,
            max_running=chosen.max_concurrent,
            queue_limit=chosen.queue_limit,
            threads=chosen.threads,
            context_length=chosen.context_length,
            cores=cores,
            default_max_tokens=chosen.default_max_tokens,
            chat_template_kwargs=chosen.template_options,
        )
    if chosen.kind == "openvino":
        return OpenVinoOptions(
            cache_size_gb=chosen.cache_gib,
            max_num_seqs=chosen.max_concurrent,
            queue_limit=chosen.queue_limit,
            num_threads=chosen.threads,
            precision=chosen.precision,
            kv_cache=chosen.kv_cache,
            prompt_lookup=chosen.prompt_lookup,
            draft=chosen.draft,
            context_length=chosen.context_length,
            cores=cores,
            default_max_tokens=chosen.default_max_tokens,
            chat_template_kwargs=chosen.template_options,
            reasoning_budget=chosen.reasoning_budget,
            adapters=dict(adapters or {}),
            prefix=chosen.prefix,
        )
    raise ValueError(f"an engine of kind {chosen.kind} does not compute on this machine")


def deciding(chosen: Options) -> dict[str, str]:
    """The options that an answer depends on, as text: all but those that are `IRRELEVANT`."""
    return {
        one.name: _text(getattr(chosen, one.name))
        for one in fields(chosen)
        if one.name not in IRRELEVANT
    }


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return json.dumps(dict(value), ensure_ascii=False, sort_keys=True)
    return str(value)
