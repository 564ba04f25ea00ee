"""An OpenVINO folder in GenAI's continuous batching: paged keys and values, prefix cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino_genai

from bench.peers.loop import serve, timed
from bench.peers.weights import weight_bytes


class PagedRunner:
    """``openvino_genai.ContinuousBatchingPipeline``: what the product runs on."""

    def load(
        self,
        path: str,
        cache_gb: int = 1,
        batched_tokens: int = 256,
        prefix_cache: bool = True,
        **properties: Any,
    ) -> dict[str, Any]:
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.cache_size = cache_gb
        scheduler.max_num_batched_tokens = batched_tokens
        scheduler.max_num_seqs = 8
        scheduler.enable_prefix_caching = prefix_cache
        self._pipeline = openvino_genai.ContinuousBatchingPipeline(
            path, scheduler, "CPU", properties
        )
        self._number = 0
        self._handle: Any = None
        self._ready: list[int] = []
        model = openvino.Core().read_model(Path(path) / "openvino_model.xml")
        # The CPU plugin's default for paged attention, unless the options say otherwise.
        kind = str(properties.get("KV_CACHE_PRECISION", "u8"))
        width = {"u8": 1, "f16": 2, "bf16": 2, "f32": 4}[kind]
        return {"weight_bytes": weight_bytes(model), "cache_element_bytes": width}

    def prompt(self, ids: list[int], new_tokens: int) -> dict[str, Any]:
        self._finish()
        self._handle = self._add(ids, new_tokens)
        return timed(self._step, 1)

    def decode(self, count: int) -> dict[str, Any]:
        return timed(self._step, count)

    def _add(self, ids: list[int], new_tokens: int) -> Any:
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = new_tokens
        config.ignore_eos = True
        self._number += 1
        prompt = openvino.Tensor(np.array([ids], dtype=np.int64))
        return self._pipeline.add_request(self._number, prompt, config)

    def _step(self) -> int:
        while not self._ready:
            self._pipeline.step()
            if self._handle.can_read():
                for output in self._handle.read().values():
                    self._ready += output.generated_ids
        return int(self._ready.pop(0))

    def _finish(self) -> None:
        """Run what an earlier prompt has left of its tokens."""
        while self._pipeline.has_non_finished_requests():
            self._pipeline.step()
        self._ready.clear()


if __name__ == "__main__":
    serve(PagedRunner())
