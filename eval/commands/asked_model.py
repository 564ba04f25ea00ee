"""The model that a command asks, as its options name it; they are the same for every command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from eval.commands.model_options import (
    ANSWER_SECONDS,
    ATTEMPTS,
    SILENT_SECONDS,
    AnswerSeconds,
    ApiKeyEnv,
    Attempts,
    CacheGib,
    ContextLength,
    Echo,
    EngineName,
    KvCacheName,
    ModelFolder,
    ModelName,
    Parallel,
    PrecisionName,
    Quiet,
    SilentSeconds,
    Url,
    Weights,
)
from eval.run.asking import Patience
from eval.run.model import ModelChoice

ASKED = "asked"
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class AskedModel:
    """Which model, how long it is waited for, and whether progress is shown."""

    choice: ModelChoice
    patience: Patience
    quiet: bool


def asks_model(parallel: int) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Give a command the options of a model in the place of its parameter ``asked``, an
    `AskedModel`; ``parallel``: requests at once where the option is not given."""
    options = inspect.signature(_asked, eval_str=True).parameters

    def with_options(command: Callable[..., R]) -> Callable[..., R]:
        own = inspect.signature(command, eval_str=True)
        parameters = []
        for name, parameter in own.parameters.items():
            taken = options if name == ASKED else {name: parameter}
            # By name alone: one without a default may stand behind one with it.
            parameters += [one.replace(kind=one.KEYWORD_ONLY) for one in taken.values()]
        parameters = [
            one.replace(default=parallel) if one.name == "parallel" else one for one in parameters
        ]

        @functools.wraps(command)
        def called(**given: Any) -> R:
            asked = _asked(**{name: given.pop(name) for name in options})
            return command(**given, asked=asked)

        vars(called)["__signature__"] = own.replace(parameters=parameters)
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        return called

    return with_options


def _asked(
    *,
    engine: EngineName = None,
    folder: ModelFolder = None,
    url: Url = "",
    model: ModelName = "",
    api_key_env: ApiKeyEnv = "",
    weights: Weights = "",
    context_length: ContextLength = 0,
    echo: Echo = False,
    precision: PrecisionName = "auto",
    kv_cache: KvCacheName = "auto",
    cache_gib: CacheGib = 1,
    parallel: Parallel = 1,
    answer_seconds: AnswerSeconds = ANSWER_SECONDS,
    silent_seconds: SilentSeconds = SILENT_SECONDS,
    attempts: Attempts = ATTEMPTS,
    quiet: Quiet = False,
) -> AskedModel:
    choice = ModelChoice(
        engine=engine,
        folder=folder,
        url=url,
        model=model,
        api_key_env=api_key_env,
        weights=weights,
        echo=echo,
        precision=precision,
        kv_cache=kv_cache,
        cache_gib=cache_gib,
        parallel=parallel,
        context_length=context_length,
    )
    patience = Patience(
        answer_seconds=answer_seconds, silent_seconds=silent_seconds, attempts=attempts
    )
    return AskedModel(choice, patience, quiet)
