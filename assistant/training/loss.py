"""The loss of the span and relation heads."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional


def span_loss(
    parts: Any, batch_mask: Any, gold: Any, annotated: Any, *, ordered: bool = True
) -> Any:
    """Multi-label cross entropy (Su 2020): every span's score above 0 and above every other's.

    ``parts``: what the scores are sums of, see `model.Parts`; ``gold`` [spans, 4] of (row, type,
    first, last); ``ordered``: a pair's first token is never behind its last.  For each text and
    type that was annotated: log(1 + Σ exp(s of other pairs)) + log(1 + Σ exp(-s of spans)); mean
    over those.

    As a score is a sum, its exponential is a product, and the sum over all pairs of tokens is a
    product of matrices: no score is made for every type and pair, which costs more than the rest of
    a small encoder's step.
    """
    pairs, starts, stops = parts
    length = pairs.shape[1]
    allowed = torch.ones(length, length, dtype=torch.bool, device=pairs.device)
    if ordered:
        allowed = allowed.triu()
    allowed = allowed & (batch_mask[:, :, None] & batch_mask[:, None, :])
    row, kind = gold[:, 0], gold[:, 1]
    # Where any type has a span, each type's score is added by itself.
    places, which = torch.unique(gold[:, [0, 2, 3]], dim=0, return_inverse=True)
    allowed[places[:, 0], places[:, 1], places[:, 2]] = False
    top, top_start, top_stop = (
        part.detach().amax(dim, keepdim=True)
        for part, dim in ((pairs, (1, 2)), (starts, 2), (stops, 2))
    )
    begins, ends = (starts - top_start).exp(), (stops - top_stop).exp()
    total = ((begins @ ((pairs - top).exp() * allowed)) * ends).sum(-1)
    shift = (top + top_start + top_stop)[..., 0]
    on, i, j = places.unbind(1)
    scores = pairs[on, i, j][:, None] + starts[on, :, i] + stops[on, :, j]
    spans = scores[which, kind]
    other = torch.ones_like(scores).index_put((which, kind), scores.new_zeros(()))
    total = total.index_add(0, on, (scores - shift[on]).exp() * other)
    least = torch.finfo(total.dtype).tiny
    wrong = functional.softplus(shift + total.clamp(min=least).log())
    # exp(-s) summed by text and type; scores far below 0 would overflow without the bound.
    missed = torch.zeros_like(total).index_put(
        (row, kind), (-spans).clamp(max=60.0).exp(), accumulate=True
    )
    return ((wrong + missed.log1p()) * annotated).sum() / annotated.sum().clamp(min=1)
