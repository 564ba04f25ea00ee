"""Adapters that GenAI switches in one pipeline, and what keeps their cached prefixes apart.

GenAI keeps an adapter's halves in variables of the compiled model, which `generate` sets and every
later step reads; with none chosen they have the rank 0.  A cached prefix is found again by its ids
alone, so the first id of a prompt carries the number of its adapter, as so many vocabularies above
it, which the graph takes off again (`serving.ir.decoder`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from serving.engine import EngineUnavailable, Sampling, UnsupportedOption
from serving.engines.openvino.generation_config import generation_config
from serving.hardware import resident
from serving.ir import base_shape
from serving.models.adapters import WEIGHTS, AdapterInvalid, facts


class Adapters:
    """The adapters of one engine, open."""

    def __init__(self, folder: Path, chosen: Mapping[str, str]) -> None:
        """``folder``: the model; ``chosen``: name → folder of an adapter of
        `serving.models.adapters`.

        Raises:
            EngineUnavailable: one of them is damaged or of another base.
        """
        import openvino_genai

        self.names = tuple(sorted(chosen))
        self._vocabulary = 0
        self._open: dict[str, Any] = {}
        self._files: dict[str, Path] = {}
        if not chosen:
            return
        architecture = base_shape.read(folder)
        if architecture is None:
            raise EngineUnavailable(
                "这个模型不带可切换适配器的结构：请重新转换。(This model was converted before "
                "adapters could be switched, or by another tool: convert it again.)"
            )
        self._vocabulary = architecture.embedding.shape[0]
        digest = base_shape.base_digest(architecture)
        for name in self.names:
            place = Path(chosen[name])
            try:
                told = facts(place)
            except AdapterInvalid as error:
                raise EngineUnavailable(str(error)) from error
            if told.base_sha256 != digest:
                raise EngineUnavailable(
                    f"适配器 {name} 不是在这个模型上训练的。(The adapter {name} was trained "
                    f"on another model: its base's hash is {told.base_sha256[:12]}…, this one's "
                    f"{digest[:12]}….)"
                )
            self._files[name] = place / WEIGHTS
            self._open[name] = openvino_genai.Adapter(str(place / WEIGHTS))

    def properties(self) -> dict[str, Any]:
        """What a pipeline is built with, so that it may be turned to any of them."""
        import openvino_genai

        if not self._open:
            return {}
        mode = openvino_genai.AdapterConfig.Mode.MODE_DYNAMIC
        return {"adapters": openvino_genai.AdapterConfig(list(self._open.values()), mode)}

    def choose(self, pipeline: Any, name: str) -> None:
        """Turn an idle pipeline to an adapter, "" to none; costs the time of a token.

        Raises:
            RuntimeError: the pipeline failed.
        """
        import openvino
        import openvino_genai

        if not self._open:
            return
        config = generation_config(Sampling(max_tokens=1), None, end_ids={0})
        config.adapters = openvino_genai.AdapterConfig()
        if name:
            config.adapters.add(self._open[name])
        ids = openvino.Tensor(self._marked(np.zeros((1, 1), np.int64), name))
        pipeline.generate([ids], [config])
        if name:
            # The pipeline has a copy of its own now; the file is read again at the next turn.
            resident.release(self._files[name])

    def mark(self, ids: Any, sampling: Sampling) -> Any:
        """The ids of a prompt, a tensor (1, tokens), for a request with this adapter.

        Raises:
            UnsupportedOption: there is no such adapter, or the request asks for what GenAI counts
                by the prompt's ids.
        """
        import openvino

        if not sampling.adapter:
            return ids
        if sampling.adapter not in self._open:
            known = ", ".join(self.names) or "-"
            raise UnsupportedOption(
                f"没有适配器 {sampling.adapter[:80]!r}，已有：{known}。(There is no such adapter.)"
            )
        if sampling.repetition_penalty != 1:
            raise UnsupportedOption(
                "带适配器作答时不支持 repetition_penalty，请用 frequency_penalty。(With an adapter "
                "there is no repetition_penalty; use frequency_penalty.)"
            )
        return openvino.Tensor(self._marked(np.array(ids.data, np.int64), sampling.adapter))

    def _marked(self, ids: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
        if name:
            ids[0, 0] += self._vocabulary * (1 + self.names.index(name))
        return ids
