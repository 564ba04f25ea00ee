"""The encoder and its heads in PyTorch, with the tensor names of `serving.encoder.checkpoint`.

BERT as published (Devlin et al. 2019: norms after the sums, learnt positions), attention by
PyTorch's fused kernel; the span head is the efficient global pointer (Su et al. 2022), see
`serving.encoder.head`.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from serving.encoder.checkpoint import PREFIX
from serving.encoder.head import frequencies
from serving.encoder.shape import RelationShape, Shape, SpanShape

_ACTIVATIONS: dict[str, Any] = {
    "gelu": functional.gelu,
    "gelu_new": lambda rows: functional.gelu(rows, approximate="tanh"),
    "relu": functional.relu,
}
_SPREAD = 0.02
# How high the waves of positions are at first.
_HEIGHT = 0.03
# What a head's score of its neighbour is at first.
_SHARPNESS = 8.0


class _SelfAttention(nn.Module):  # type: ignore[misc]
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.hidden_size
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self._heads = shape.num_attention_heads

    def forward(self, rows: Tensor, bias: Tensor | None) -> Tensor:
        batch, length, width = rows.shape

        def heads(part: Tensor) -> Tensor:
            return part.view(batch, length, self._heads, -1).transpose(1, 2)

        # No dropout of attention: PyTorch's fused kernel for processors has none.
        seen = functional.scaled_dot_product_attention(
            heads(self.query(rows)), heads(self.key(rows)), heads(self.value(rows)), attn_mask=bias
        )
        return seen.transpose(1, 2).reshape(batch, length, width)


class _Output(nn.Module):  # type: ignore[misc]
    """A projection whose result is added to what went in, and normed."""

    def __init__(self, columns: int, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(columns, shape.hidden_size)
        self.LayerNorm = nn.LayerNorm(shape.hidden_size, shape.layer_norm_eps)
        self._dropout = dropout

    def forward(self, rows: Tensor, residual: Tensor) -> Tensor:
        fresh = functional.dropout(self.dense(rows), self._dropout, self.training)
        return self.LayerNorm(residual + fresh)


class _Attention(nn.Module):  # type: ignore[misc]
    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.self = _SelfAttention(shape)
        self.output = _Output(shape.hidden_size, shape, dropout)

    def forward(self, rows: Tensor, bias: Tensor | None) -> Tensor:
        return self.output(self.self(rows, bias), rows)


class _Layer(nn.Module):  # type: ignore[misc]
    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.attention = _Attention(shape, dropout)
        self.intermediate = nn.ModuleDict(
            {"dense": nn.Linear(shape.hidden_size, shape.intermediate_size)}
        )
        self.output = _Output(shape.intermediate_size, shape, dropout)
        self._act = _ACTIVATIONS[shape.hidden_act]

    def forward(self, rows: Tensor, bias: Tensor | None) -> Tensor:
        rows = self.attention(rows, bias)
        return self.output(self._act(self.intermediate["dense"](rows)), rows)


class _Embeddings(nn.Module):  # type: ignore[misc]
    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.position_embeddings = nn.Embedding(shape.max_position_embeddings, shape.hidden_size)
        self.token_type_embeddings = nn.Embedding(shape.type_vocab_size, shape.hidden_size)
        self.LayerNorm = nn.LayerNorm(shape.hidden_size, shape.layer_norm_eps)
        self._dropout = dropout

    def forward(self, ids: Tensor, first: int) -> Tensor:
        rows = self.word_embeddings(ids)
        rows = rows + self.position_embeddings.weight[first : first + ids.shape[1]]
        rows = self.LayerNorm(rows + self.token_type_embeddings.weight[0])
        return functional.dropout(rows, self._dropout, self.training)


class _Bert(nn.Module):  # type: ignore[misc]
    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.embeddings = _Embeddings(shape, dropout)
        layers = nn.ModuleList(_Layer(shape, dropout) for _ in range(shape.num_hidden_layers))
        self.encoder = nn.ModuleDict({"layer": layers})

    def forward(self, ids: Tensor, mask: Tensor | None, first: int = 0) -> Tensor:
        rows = self.embeddings(ids, first)
        bias = None if mask is None else mask[:, None, None, :].to(torch.bool)
        for layer in self.encoder["layer"]:
            rows = layer(rows, bias)
        return rows


class _Predictions(nn.Module):  # type: ignore[misc]
    """The head of masked tokens; its matrix is the word embedding."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.transform = nn.ModuleDict(
            {
                "dense": nn.Linear(shape.hidden_size, shape.hidden_size),
                "LayerNorm": nn.LayerNorm(shape.hidden_size, shape.layer_norm_eps),
            }
        )
        self.bias = nn.Parameter(torch.zeros(shape.vocab_size))

    def forward(self, rows: Tensor, words: Tensor) -> Tensor:
        rows = functional.gelu(self.transform["dense"](rows))
        return functional.linear(self.transform["LayerNorm"](rows), words, self.bias)


class MaskedModel(nn.Module):  # type: ignore[misc]
    """The encoder under training by masked tokens."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.bert = _Bert(shape, dropout)
        self.cls = nn.ModuleDict({"predictions": _Predictions(shape)})
        self.apply(_start)
        begin_nearby(self.bert, shape)

    def forward(self, ids: Tensor, places: Tensor, first: int = 0) -> Tensor:
        """Scores [places, vocabulary] of the tokens at ``places`` of the flattened ``ids``.

        Rows stand at the positions from ``first`` on.
        """
        rows = self.bert(ids, None, first).flatten(0, 1)[places]
        scores: Tensor = self.cls["predictions"](rows, self.bert.embeddings.word_embeddings.weight)
        return scores


Parts = tuple[Tensor, Tensor, Tensor]
"""What scores are sums of, float32: pairs [batch, length, length], first tokens and last tokens
[batch, labels, length]."""


class _Grid(nn.Module):  # type: ignore[misc]
    """A table of scores for pairs of tokens; see `serving.encoder.head`."""

    def __init__(self, width: int, size: int, labels: int) -> None:
        super().__init__()
        self.projection = nn.Linear(width, 2 * size)
        self.ends = nn.Linear(2 * size, 2 * labels)
        self._size = size

    def forward(self, rows: Tensor) -> Parts:
        both = self.projection(rows)
        query, key = both.split(self._size, dim=-1)
        query, key = _turned(query), _turned(key)
        pairs = query @ key.transpose(1, 2) / math.sqrt(self._size)
        starts, stops = (self.ends(both) / 2).transpose(1, 2).chunk(2, dim=1)
        return pairs, starts, stops


class SpanModel(nn.Module):  # type: ignore[misc]
    """The encoder with the span head."""

    def __init__(self, shape: Shape, span: SpanShape, dropout: float = 0.1) -> None:
        super().__init__()
        self.bert = _Bert(shape, dropout)
        self.span_head = _Grid(shape.hidden_size, span.size, len(span.labels))
        self._dropout = dropout
        self.apply(_start)
        begin_nearby(self.bert, shape)

    def forward(self, ids: Tensor, mask: Tensor) -> Parts:
        """The parts of the scores; a span is where their sum is above 0."""
        rows = functional.dropout(self.bert(ids, mask), self._dropout, self.training)
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            parts: Parts = self.span_head(rows.float())
        return parts


class RelationModel(nn.Module):  # type: ignore[misc]
    """The encoder with the relation head."""

    def __init__(self, shape: Shape, relation: RelationShape, dropout: float = 0.1) -> None:
        super().__init__()
        self.bert = _Bert(shape, dropout)
        self.relation_head = nn.ModuleDict(
            {
                grid.rstrip("."): _Grid(shape.hidden_size, relation.size, labels)
                for grid, labels in relation.grids.items()
            }
        )
        self._dropout = dropout
        self.apply(_start)
        begin_nearby(self.bert, shape)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Parts, ...]:
        """The parts of each table: spans, first tokens, last tokens."""
        rows = functional.dropout(self.bert(ids, mask), self._dropout, self.training)
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            return tuple(grid(rows.float()) for grid in self.relation_head.values())


def begin_nearby(bert: Any, shape: Shape) -> None:
    """Positions begin as sines (Vaswani et al. 2017) and the heads of the first layer by looking at
    a neighbour each: one character back, one ahead, two back, two ahead, and so on.

    From random positions a small encoder learns for hundreds of steps where its neighbours are
    before it learns anything of them; this is where it begins instead.  Nothing is held fixed.
    """
    width, size = shape.hidden_size, shape.head_size
    waves = width // 2
    turns = math.pi * torch.from_numpy(frequencies(width))
    angles = torch.arange(shape.max_position_embeddings)[:, None] * turns[None]
    own = bert.embeddings.position_embeddings.weight
    with torch.no_grad():
        own.copy_(torch.cat([angles.sin(), angles.cos()], 1) * _HEIGHT)
        attention = bert.encoder["layer"][0].attention.self
        kept = min(size // 2, waves)
        # What is left of it after LayerNorm, beside the word and the token type.
        height = _HEIGHT / math.sqrt(_HEIGHT**2 / 2 + 2 * _SPREAD**2)
        strength = math.sqrt(_SHARPNESS * math.sqrt(size) / kept) / height
        for head in range(shape.num_attention_heads):
            shift = (head // 2 + 1) * (1 if head % 2 else -1)
            turn = turns[:kept] * shift
            query = attention.query.weight[head * size : (head + 1) * size]
            key = attention.key.weight[head * size : (head + 1) * size]
            for wave in range(kept):
                key[wave, wave] = key[kept + wave, waves + wave] = strength
                query[wave, wave] = query[kept + wave, waves + wave] = strength * turn[wave].cos()
                query[wave, waves + wave] = strength * turn[wave].sin()
                query[kept + wave, wave] = -strength * turn[wave].sin()


def encoder_weights(model: Any) -> dict[str, Tensor]:
    """The encoder's tensors by name."""
    return {name: value for name, value in model.state_dict().items() if name.startswith(PREFIX)}


def load(model: Any, tensors: dict[str, Any]) -> None:
    """Take ``tensors`` (numpy) over by name; names that the model lacks are left."""
    own = model.state_dict()
    for name, values in tensors.items():
        if name in own:
            own[name].copy_(torch.from_numpy(values))


def _turned(rows: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021) over [batch, length, size]: halves are the pairs."""
    length, size = rows.shape[1:]
    places = torch.arange(length, device=rows.device, dtype=torch.float32)
    turns = torch.from_numpy(frequencies(size)).to(rows.device)
    angles = places[:, None] * turns[None]
    sine, cosine = angles.sin(), angles.cos()
    first, second = rows.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)


def _start(module: Any) -> None:
    """BERT's first weights: normal with a deviation of 0.02, cut at two deviations."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.trunc_normal_(module.weight, std=_SPREAD, a=-2 * _SPREAD, b=2 * _SPREAD)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
