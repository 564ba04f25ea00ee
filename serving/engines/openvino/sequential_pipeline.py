"""One request after the other on a stateful model, for models that cannot be batched.

GenAI's continuous batching rewrites a model to paged attention, which reads a prompt from left to
right, in pieces.  ChatGLM-6B reads its prompt in both directions, so the prompt must be one pass,
and its graph cannot be rewritten.  What is here has as much of GenAI's ContinuousBatchingPipeline
as `serving.engines.openvino.lane` and `serving.engines.openvino.engine` use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.engine import UnsupportedOption
from serving.engines.openvino.stateful_model import StatefulModel
from serving.engines.openvino.token_choice import TokenChoice
from serving.ir.learned_prefix import LearnedPrefix
from serving.models import manifest

ARCHITECTURES = frozenset({"chatglm"})
"""The manifest's names of the architectures that need this pipeline."""


@dataclass(frozen=True, slots=True)
class Output:
    """What one step made.  ``finish_reason``: GenAI's."""

    generated_ids: list[int]
    generated_log_probs: list[float]
    finish_reason: Any


@dataclass(frozen=True, slots=True)
class Metrics:
    """``max_cache_usage``: 0, as there is no cache of a fixed size that fills up."""

    max_cache_usage: float = 0.0


@dataclass(eq=False, slots=True)
class Handle:
    """One request in the pipeline."""

    prompt: NDArray[np.int64]
    config: Any
    choice: TokenChoice
    status: Any
    answer: list[int] = field(default_factory=list)
    unread: deque[Output] = field(default_factory=deque)

    def can_read(self) -> bool:
        """Whether a step has made something that was not read yet."""
        return bool(self.unread)

    def read(self) -> dict[int, Output]:
        """The earliest output that was not read, by the number of its sequence."""
        return {0: self.unread.popleft()}

    def get_status(self) -> Any:
        """GenAI's GenerationStatus."""
        return self.status

    def cancel(self) -> None:
        """Give the place up at once; without effect on a request that has ended."""
        from openvino_genai import GenerationStatus

        if self.status == GenerationStatus.RUNNING:
            self.status = GenerationStatus.CANCEL

    def take(self, token: int, logprob: float) -> None:
        """Add the next token of the answer."""
        from openvino_genai import GenerationFinishReason, GenerationStatus

        self.answer.append(token)
        reason = GenerationFinishReason.NONE
        if token in self.config.stop_token_ids and not self.config.ignore_eos:
            reason = GenerationFinishReason.STOP
        elif len(self.answer) >= self.config.max_new_tokens:
            reason = GenerationFinishReason.LENGTH
        if reason != GenerationFinishReason.NONE:
            self.status = GenerationStatus.FINISHED
        self.unread.append(Output([token], [logprob], reason))


class SequentialPipeline:
    """Runs requests in the order in which they came.  For one thread."""

    def __init__(
        self,
        folder: Path,
        device: str,
        properties: Mapping[str, Any],
        prefix: LearnedPrefix | None = None,
    ) -> None:
        """Load the prepared model ``folder``; ``properties``: OpenVINO's; ``prefix``: see
        `StatefulModel`.

        Raises:
            RuntimeError: it cannot be loaded.
        """
        import openvino_genai

        settings = folder / "generation_config.json"
        self._config = (
            openvino_genai.GenerationConfig(str(settings))
            if settings.is_file()
            else openvino_genai.GenerationConfig()
        )
        self._model = StatefulModel(folder / manifest.MODEL_FILE, device, properties, prefix)
        self._requests: deque[Handle] = deque()
        self._current: Handle | None = None

    def get_config(self) -> Any:
        """The model's own openvino_genai.GenerationConfig."""
        return self._config

    def get_metrics(self) -> Metrics:
        """How full the cache is."""
        return Metrics()

    def add_request(self, request_id: int, input_ids: Any, config: Any) -> Handle:
        """Queue a prompt, a tensor of shape (1, tokens), with GenAI's generation config.

        Raises:
            UnsupportedOption: see `check`.
        """
        from openvino_genai import GenerationStatus

        check(config)
        prompt = np.array(input_ids.data[0], np.int64)
        handle = Handle(prompt, config, TokenChoice(config, prompt), GenerationStatus.RUNNING)
        self._requests.append(handle)
        return handle

    def has_non_finished_requests(self) -> bool:
        """Whether a step would do anything."""
        return self._first() is not None

    def step(self) -> None:
        """Read the first request's prompt, or its last token, and choose the next one.

        Python's global lock is free while the model computes.

        Raises:
            RuntimeError: the model failed.
        """
        handle = self._first()
        if handle is None:
            return
        if handle is not self._current:
            self._model.reset()
            self._current = handle
        given = np.array(handle.answer[-1:], np.int64) if handle.answer else handle.prompt
        handle.take(*handle.choice.choose(self._model.step(given)[-1]))

    def _first(self) -> Handle | None:
        from openvino_genai import GenerationStatus

        while self._requests and self._requests[0].status != GenerationStatus.RUNNING:
            self._requests.popleft()
        return self._requests[0] if self._requests else None


def check(config: Any) -> None:
    """Whether this pipeline can do what a generation config asks for.

    Raises:
        UnsupportedOption: it holds the answer to a schema or grammar, or drafts from the prompt.
    """
    if config.structured_output_config is not None:
        raise UnsupportedOption(
            "A model that answers one request at a time (ChatGLM-6B, one with a learned prefix) "
            "cannot be held to a JSON schema or grammar; ask without one, or use another model."
        )
    if config.is_prompt_lookup():
        raise UnsupportedOption("This model cannot draft from its prompt.")
