"""A GGUF file in llama.cpp, through ``llama-cpp-python``."""

from __future__ import annotations

import os
from typing import Any

import llama_cpp
import numpy as np
from gguf import GGUFReader

from bench.peers.loop import serve, timed


class GgufRunner:
    """llama.cpp with as many threads as cores; it repacks the weights for the CPU by itself."""

    def load(
        self, path: str, context: int = 2304, flash_attention: bool = True, **options: Any
    ) -> dict[str, Any]:
        cores = os.cpu_count() or 1
        self._model = llama_cpp.Llama(
            path,
            n_ctx=context,
            n_batch=512,
            n_ubatch=512,
            n_threads=cores,
            n_threads_batch=cores,
            flash_attn=flash_attention,
            verbose=False,
            **options,
        )
        self._waiting: list[int] = []
        return {
            "weight_bytes": _weight_bytes(path),
            "cache_element_bytes": 2,
            "system": llama_cpp.llama_print_system_info().decode(),
        }

    def prompt(self, ids: list[int], new_tokens: int) -> dict[str, Any]:
        self._clear()
        self._waiting = list(ids)
        return timed(self._step, 1)

    def decode(self, count: int) -> dict[str, Any]:
        return timed(self._step, count)

    def logits(self, ids: list[int], path: str) -> dict[str, Any]:
        """Write the logits of every position; load with ``logits_all`` for this."""
        self._clear()
        self._model.eval(ids)
        np.save(path, np.array(self._model.scores[: len(ids)], dtype=np.float32))
        return {"path": path}

    def _clear(self) -> None:
        self._model.reset()
        self._model._ctx.kv_cache_clear()

    def _step(self) -> int:
        self._model.eval(self._waiting)
        last = llama_cpp.llama_get_logits_ith(self._model.ctx, -1)
        token = int(np.ctypeslib.as_array(last, shape=(self._model.n_vocab(),)).argmax())
        self._waiting = [token]
        return token


def _weight_bytes(path: str) -> int:
    """Bytes of all tensors but the embeddings, which count where they are the head too."""
    sizes = {tensor.name: int(tensor.n_bytes) for tensor in GGUFReader(path).tensors}
    if "output.weight" in sizes:
        del sizes["token_embd.weight"]
    return sum(sizes.values())


if __name__ == "__main__":
    serve(GgufRunner())
