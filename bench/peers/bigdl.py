"""A native Llama or GLM checkpoint in BigDL-LLM, INT4 (``sym_int4``: blocks of 64, a scale each).

``kernel`` is the instruction set whose library is used; left alone, BigDL-LLM takes the plain AVX
one on processors that it does not know.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.peers.loop import serve, timed


class BigdlRunner:
    """``optimize_model(low_bit="sym_int4")``, with Transformers' own cache and attention."""

    def load(self, path: str, kernel: str = "avx2", threads: int = 0) -> dict[str, Any]:
        place = find_spec("bigdl.llm")
        assert place is not None
        assert place.submodule_search_locations
        library = Path(place.submodule_search_locations[0]) / "libs" / f"libllama_{kernel}.so"
        os.environ["LLAMA_CPP_LIB"] = str(library)
        import torch
        from bigdl.llm import optimize_model
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(threads or os.cpu_count() or 1)
        model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float16)
        model = optimize_model(model, low_bit="sym_int4", optimize_llm=False)
        for parameter in model.parameters():
            if parameter.dtype == torch.float16 and parameter.dim() == 1:
                parameter.data = parameter.data.float()
        # The embeddings stay in FP16; what follows computes in FP32, as its kernels do.
        model.get_input_embeddings().register_forward_hook(lambda module, given, out: out.float())
        self._torch = torch
        self._model = model.eval()
        self._waiting: list[int] = []
        print(model.model.layers[0], model.lm_head, file=sys.stderr)
        return {"weight_bytes": self._weight_bytes(), "cache_element_bytes": 4}

    def _weight_bytes(self) -> int:
        table = self._model.get_input_embeddings().weight
        return sum(
            parameter.numel() * parameter.element_size()
            for parameter in self._model.parameters()
            if parameter is not table
        )

    def prompt(self, ids: list[int], new_tokens: int) -> dict[str, Any]:
        from transformers import DynamicCache

        self._cache = DynamicCache(config=self._model.config)
        self._waiting = list(ids)
        return timed(self._step, 1)

    def decode(self, count: int) -> dict[str, Any]:
        return timed(self._step, count)

    def logits(self, ids: list[int], path: str) -> dict[str, Any]:
        """Write the logits of every position, [length, vocabulary] in FP32."""
        import numpy as np

        with self._torch.inference_mode():
            found = self._model(input_ids=self._torch.tensor([ids])).logits[0]
        np.save(path, found.float().numpy())
        return {"path": path}

    def _step(self) -> int:
        with self._torch.inference_mode():
            found = self._model(
                input_ids=self._torch.tensor([self._waiting]),
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
        token = int(found.logits[0, -1].argmax())
        self._waiting = [token]
        return token


if __name__ == "__main__":
    serve(BigdlRunner())
