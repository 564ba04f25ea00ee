"""A converted model run as it is: one sequence, keys and values appended in place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.ir.learned_prefix import LearnedPrefix

_ROWS = "rows"
LAST = np.array([-1])


class StatefulModel:
    """Compiled so that the head is computed for chosen rows only.

    For each of a prompt of 2,048, ChatGLM-6B's logits would take 1 GB.
    """

    def __init__(
        self,
        path: Path,
        device: str,
        properties: Mapping[str, Any],
        prefix: LearnedPrefix | None = None,
    ) -> None:
        """Compile the IR ``path``; ``properties``: OpenVINO's.  ``prefix``: keys and values that
        stand before every prompt.

        Raises:
            RuntimeError: it cannot be loaded.
        """
        import openvino

        core = openvino.Core()
        model = core.read_model(path)
        _choose_rows(model)
        compiled = core.compile_model(model, device, dict(properties))
        self._request = compiled.create_infer_request()
        self._inputs = {name for port in compiled.inputs for name in port.get_names()}
        self._prefix = prefix
        self.reset()

    def reset(self) -> None:
        """Forget every token but the learned ones."""
        import openvino

        self._request.reset_state()
        self._seen = 0
        if self._prefix is not None:
            for state in self._request.query_state():
                if state.name in self._prefix.states:
                    state.state = openvino.Tensor(self._prefix.states[state.name])

    def step(self, ids: NDArray[np.int64], rows: NDArray[np.int64] = LAST) -> NDArray[np.float32]:
        """Logits [rows, vocabulary] after the next tokens ``ids``; the next step writes over them.

        Python's global lock is free while the model computes.
        """
        seen = self._seen + len(ids)
        learned = 0 if self._prefix is None else self._prefix.tokens
        first = learned if self._prefix is not None and self._prefix.positions else 0
        given = {
            "input_ids": ids[np.newaxis],
            "attention_mask": np.ones((1, learned + seen), np.int64),
            "position_ids": np.arange(first + self._seen, first + seen)[np.newaxis],
            "beam_idx": np.zeros(1, np.int32),
            _ROWS: rows,
        }
        self._request.infer({key: value for key, value in given.items() if key in self._inputs})
        self._seen = seen
        logits: NDArray[np.float32] = self._request.get_tensor("logits").data[0]
        return logits

    def profile(self) -> Any:
        """The plugin's counters of the last step, a ProfilingInfo an operation.

        Raises:
            RuntimeError: the model was not compiled with PERF_COUNT.
        """
        return self._request.get_profiling_info()


def _choose_rows(model: Any) -> None:
    """Give the model an input that says of which rows the head is to be computed."""
    import openvino

    head = model.output("logits").get_node().input_value(0).get_node()
    while head.get_type_name() != "MatMul":
        head = head.input_value(0).get_node()
    rows = openvino.opset16.parameter([-1], openvino.Type.i64)
    rows.set_friendly_name(_ROWS)
    rows.output(0).set_names({_ROWS})
    axis = openvino.opset16.constant(np.array(1, np.int64))
    chosen = openvino.opset16.gather(head.input_value(0), rows, axis)
    head.input(0).replace_source_output(chosen.output(0))
    model.add_parameters([rows])
    model.validate_nodes_and_infer_types()
