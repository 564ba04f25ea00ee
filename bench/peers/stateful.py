"""An OpenVINO folder as a stateful model: one infer request, keys and values in its variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino

from bench.peers.loop import serve, timed
from bench.peers.weights import cache_element_bytes, weight_bytes


class StatefulRunner:
    """Plain ``openvino``: ours, or a folder that another tool exported."""

    def load(self, path: str, **properties: Any) -> dict[str, Any]:
        core = openvino.Core()
        model = core.read_model(Path(path) / "openvino_model.xml")
        read = weight_bytes(model)
        self._names = {port.get_any_name() for port in model.inputs}
        compiled = core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY"} | properties)
        del model
        self._request = compiled.create_infer_request()
        self._waiting: list[int] = []
        self._past = 0
        return {"weight_bytes": read, "cache_element_bytes": cache_element_bytes(compiled)}

    def prompt(self, ids: list[int], new_tokens: int) -> dict[str, Any]:
        self._request.reset_state()
        self._waiting, self._past = list(ids), 0
        return timed(self._step, 1)

    def decode(self, count: int) -> dict[str, Any]:
        return timed(self._step, count)

    def logits(self, ids: list[int], path: str) -> dict[str, Any]:
        """Write the logits of every position, [length, vocabulary] in FP32."""
        self._request.reset_state()
        np.save(path, self._infer(ids, 0).astype(np.float32))
        return {"path": path}

    def _step(self) -> int:
        token = int(self._infer(self._waiting, self._past)[-1].argmax())
        self._past += len(self._waiting)
        self._waiting = [token]
        return token

    def _infer(self, ids: list[int], past: int) -> np.ndarray:
        inputs = {
            "input_ids": np.array([ids], dtype=np.int64),
            "attention_mask": np.ones((1, past + len(ids)), dtype=np.int64),
            "position_ids": np.arange(past, past + len(ids), dtype=np.int64)[None],
            "beam_idx": np.zeros(1, dtype=np.int32),
        }
        self._request.infer({name: inputs[name] for name in self._names})
        values: np.ndarray = self._request.get_output_tensor(0).data[0]
        return values


if __name__ == "__main__":
    serve(StatefulRunner())
