"""One sample → what the model is asked, and the key of its answer.

The few-shots go before as turns of a chat, the nearest last; then the sample's own prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from eval.promptcblue.sample import Sample
from eval.promptcblue.task import Task
from eval.run.identity import digest
from serving.engine import Engine, Message, Sampling, without_thoughts
from serving.schema.json_schema import GRAMMAR

TEMPLATE = "chat turns, examples nearest last, 1"
"""Names how prompts are put together; it changes when that changes."""

DEFAULT_TOKENS = {
    "CMeEE-V2": 384,
    "CMeIE": 512,
    "CMeIE-V2": 512,
    "CHIP-CDN": 96,
    "CHIP-CDEE": 768,
    "IMCS-V2-NER": 192,
    "CHIP-MDCFNPC": 512,
    "IMCS-V2-SR": 256,
    "IMCS-V2-MRG": 320,
    "MedDG": 128,
    "Text2DT": 1024,
    "CMedCausal": 768,
}
"""Most tokens of an answer, by task; labels take `LABEL_TOKENS`."""

LABEL_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for one sample."""

    sample: Sample
    messages: tuple[Message, ...]
    sampling: Sampling
    schema: Mapping[str, Any] | None
    shots: tuple[str, ...]

    def key(self, model: str) -> str:
        """The hash of all that changes the answer; ``model`` is the model's own hash."""
        return digest(
            {
                "model": model,
                "template": TEMPLATE,
                "messages": [[message.role, message.content] for message in self.messages],
                "sampling": _sampling(self.sampling),
                "schema": self.schema,
            }
        )


def make_request(
    sample: Sample,
    task: Task,
    engine: Engine,
    sampling: Sampling,
    shots: Sequence[Sample] = (),
    *,
    constrained: bool = False,
    max_tokens: int = 0,
) -> Request:
    """The request for ``sample``; of ``shots``, nearest first, as many as fit the context.

    ``max_tokens`` 0 takes the task's own limit.
    """
    most = max_tokens or DEFAULT_TOKENS.get(task.name, LABEL_TOKENS)
    room = engine.card.context_length - most - (_size(engine, sample.input) if shots else 0)
    kept: list[Sample] = []
    for shot in shots:
        room -= _size(engine, shot.input) + _size(engine, shot.target)
        if room < 0:
            break
        kept.append(shot)
    turns: list[Message] = []
    for shot in reversed(kept):
        turns += [Message("user", shot.input), Message("assistant", shot.target)]
    grammar = task.grammar(sample) if constrained else None
    return Request(
        sample,
        (*turns, Message("user", sample.input)),
        replace(sampling, max_tokens=most, chat_template_kwargs=without_thoughts(engine.card)),
        {GRAMMAR: grammar} if grammar else None,
        tuple(shot.sample_id for shot in kept),
    )


def _sampling(sampling: Sampling) -> dict[str, Any]:
    """As plain data, without what was not asked for, so that kept answers stay findable."""
    fields = asdict(sampling)
    if not fields["chat_template_kwargs"]:
        del fields["chat_template_kwargs"]
    return fields


def _size(engine: Engine, text: str) -> int:
    """Tokens of a turn, with what a chat template puts around it."""
    return engine.count_tokens(text) + 16
