"""A span model in stock PyTorch: Transformers' BertModel in float32 with the span head on it."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

from bench.peers.loop import serve

_PREFIX = "span_head."


class BertRunner:
    """Batches of rows of like length, ``tokens`` at once; several sizes may be tried."""

    def load(self, path: str, threads: int = 0) -> dict[str, Any]:
        import torch
        from safetensors.torch import load_file
        from transformers import BertConfig, BertModel

        if threads:
            torch.set_num_threads(threads)
        config = json.loads((Path(path) / "config.json").read_text(encoding="utf-8"))
        self._head = config.pop("span_head")
        model = BertModel(BertConfig(**config), add_pooling_layer=False)
        weights = load_file(str(Path(path) / "model.safetensors"))
        own = {
            name.removeprefix("bert."): value
            for name, value in weights.items()
            if name.startswith("bert.")
        }
        model.load_state_dict(own, strict=False)
        missing = set(model.state_dict()) - set(own) - {"embeddings.position_ids"}
        assert not missing, missing
        self._weights = {
            name.removeprefix(_PREFIX): value
            for name, value in weights.items()
            if name.startswith(_PREFIX)
        }
        self._model = model.eval()
        self._torch = torch
        return {"attention": str(model.config._attn_implementation), "torch": torch.__version__}

    def read(self, rows: list[list[int]], tokens: int, pad: int = 0) -> dict[str, Any]:
        """Scores of every row, thrown away: ``seconds`` and the best score as a check."""
        torch = self._torch
        begin = time.perf_counter()
        order = sorted(range(len(rows)), key=lambda index: -len(rows[index]))
        best = -math.inf
        place = 0
        with torch.inference_mode():
            while place < len(order):
                longest = len(rows[order[place]])
                chosen = order[place : place + max(1, tokens // longest)]
                place += len(chosen)
                ids = torch.full((len(chosen), longest), pad)
                mask = torch.zeros((len(chosen), longest), dtype=torch.int64)
                for at, index in enumerate(chosen):
                    ids[at, : len(rows[index])] = torch.tensor(rows[index])
                    mask[at, : len(rows[index])] = 1
                hidden = self._model(ids, attention_mask=mask).last_hidden_state
                best = max(best, self._scored(hidden))
        return {"seconds": time.perf_counter() - begin, "best": best}

    def _scored(self, hidden: Any) -> float:
        torch, size = self._torch, self._head["size"]
        linear = torch.nn.functional.linear
        weights = self._weights
        both = linear(hidden, weights["projection.weight"], weights["projection.bias"])
        places = torch.arange(hidden.shape[1], dtype=torch.float32)
        turns = 10_000.0 ** (-torch.arange(0, size, 2, dtype=torch.float32) / size)
        sine, cosine = (places[:, None] * turns).sin(), (places[:, None] * turns).cos()

        def turned(rows: Any) -> Any:
            first, second = rows.chunk(2, dim=-1)
            return torch.cat(
                [first * cosine - second * sine, second * cosine + first * sine], dim=-1
            )

        query, key = both.split(size, dim=-1)
        pairs = turned(query) @ turned(key).transpose(1, 2) / math.sqrt(size)
        ends = linear(both, weights["ends.weight"], weights["ends.bias"]) / 2
        starts, stops = ends.transpose(1, 2).chunk(2, dim=1)
        return float(pairs[0, 1, 1] + starts[0, 0, 1] + stops[0, 0, 1])


if __name__ == "__main__":
    serve(BertRunner())
