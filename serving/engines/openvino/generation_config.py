"""`Sampling` → OpenVINO GenAI's generation config."""

from __future__ import annotations

import json
import secrets
from typing import Any

from serving.engine import Sampling, UnsupportedOption
from serving.schema import compact_grammar

# Prompt lookup: how many tokens are drafted at once, and how long a match in the prompt must be.
_DRAFT_TOKENS = 5
_NGRAM = 3


def generation_config(
    sampling: Sampling,
    constraint: str | None,
    end_ids: set[int],
    *,
    lookup: bool = False,
    guesses: int = 0,
) -> Any:
    """GenAI's form of one request's settings.

    ``constraint`` is a JSON Schema as text, ``end_ids`` end the answer.  ``lookup`` drafts tokens
    from the prompt; ``guesses``: how many a draft model is to guess at once.

    Raises:
        UnsupportedOption: a setting is out of its range.
    """
    import openvino_genai

    if sampling.max_tokens is not None and sampling.max_tokens < 1:
        raise UnsupportedOption("max_tokens must be at least 1.")
    config = openvino_genai.GenerationConfig()
    config.apply_chat_template = False
    if sampling.max_tokens is not None:
        config.max_new_tokens = sampling.max_tokens
    config.stop_token_ids = end_ids
    config.logprobs = int(sampling.logprobs)
    config.repetition_penalty = sampling.repetition_penalty
    config.presence_penalty = sampling.presence_penalty
    config.frequency_penalty = sampling.frequency_penalty
    if sampling.temperature > 0:
        config.do_sample = True
        config.temperature = sampling.temperature
        config.top_p = sampling.top_p
        if sampling.top_k > 0:
            config.top_k = sampling.top_k
        seed = sampling.seed if sampling.seed is not None else secrets.randbits(31)
        config.rng_seed = seed % 2**63
    if lookup:
        config.num_assistant_tokens = _DRAFT_TOKENS
        config.max_ngram_size = _NGRAM
    elif guesses:
        config.num_assistant_tokens = guesses
    if constraint is not None:
        compact = compact_grammar.grammar(json.loads(constraint))
        config.structured_output_config = (
            openvino_genai.StructuredOutputConfig(json_schema=constraint)
            if compact is None
            else openvino_genai.StructuredOutputConfig(grammar=compact)
        )
    try:
        config.validate()
    except RuntimeError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise UnsupportedOption(f"The sampling settings are invalid: {lines[-1]}") from error
    return config
