"""Loads the model that the first line names, then serves it until the input ends."""

import sys

# The modules that lie beside this package must not stand in for others of the same name.
sys.path.pop(0)

import base64
import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any

from . import offline
from .channel import Channel
from .service import LoadFailed, Service, Token

_LONGEST = 400
"""Characters of what a library says is wrong."""


def main() -> None:
    """Serve; what the model cannot be loaded for is told as ``failed``."""
    # BigDL-LLM sets the log up at import, unless it has been.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    offline.enforce()
    channel = Channel()
    order = channel.take(wait=True) or {}
    if cores := order.get("cores"):
        os.sched_setaffinity(0, cores)
    try:
        model = _load(channel, order)
    except Exception as error:
        channel.send({"failed": {"message": _sentence(error)}})
        return
    _serve(channel, model, order)


def _load(channel: Channel, order: Mapping[str, Any]) -> Any:
    import torch
    import transformers

    from . import weights

    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(order["threads"])
    channel.send({"progress": {"stage": "imported"}})
    low_bit = weights.LowBit(order["package"], order["low_bit"])
    low_bit.try_kernel()
    channel.send({"progress": {"stage": "kernel"}})

    def report(done: int, total: int) -> None:
        channel.send({"progress": {"stage": "quantizing", "done": done, "total": total}})

    return weights.load(low_bit, order, report)


def _serve(channel: Channel, model: Any, order: Mapping[str, Any]) -> None:
    from . import answer
    from .constraint import Grammars

    end_ids = frozenset(order["end_ids"])
    vocabulary = [base64.b64decode(token) for token in order["vocabulary"]]
    grammars = Grammars(vocabulary, int(order["config"]["vocab_size"]), end_ids)

    def tokens(request: Mapping[str, Any]) -> Iterator[Token | None]:
        return answer.tokens(model, grammars, request, end_ids)

    service = Service(channel, tokens, order["max_running"])
    answer.watch(model, service.check)
    channel.send({"ready": {}})
    service.run()


def _sentence(error: Exception) -> str:
    if isinstance(error, LoadFailed):
        return str(error)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"The model cannot be loaded: {type(error).__name__}: {' '.join(lines)[:_LONGEST]}"


main()
