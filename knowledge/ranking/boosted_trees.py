"""Gradient-boosted regression trees for a yes-or-no question (Friedman 2001), in numpy.

Trees are grown level by level on histograms of the features, each split by the gain of the logistic
loss's second-order expansion (Chen & Guestrin 2016), and kept as plain numbers in JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

BINS = 48


@dataclass(frozen=True)
class Growth:
    """How trees are grown; ``penalty`` is the L2 weight on leaf values."""

    rounds: int = 160
    depth: int = 5
    rate: float = 0.12
    penalty: float = 4.0
    smallest_leaf: float = 8.0


@dataclass(frozen=True)
class Tree:
    """A complete binary tree: node *n* has the children *2n + 1* and *2n + 2*.

    A row goes right where ``row[feature] > threshold``; leaves hold log odds.
    """

    features: npt.NDArray[np.int32]
    thresholds: Matrix
    leaves: Matrix

    def scores(self, rows: Matrix) -> Floats:
        """Log odds of each row of ``rows`` ``[n, features]``."""
        nodes = np.zeros(len(rows), np.int64)
        index = np.arange(len(rows))
        while len(nodes) and nodes[0] < len(self.features):
            right = rows[index, self.features[nodes]] > self.thresholds[nodes]
            nodes = 2 * nodes + 1 + right
        return self.leaves[nodes - len(self.features)].astype(np.float64)


@dataclass
class BoostedTrees:
    """A sum of trees."""

    bias: float = 0.0
    trees: list[Tree] = field(default_factory=list)

    def probabilities(self, rows: Matrix) -> Floats:
        """The probability of yes for each row of ``rows`` ``[n, features]``: ``[n]``."""
        total = np.full(len(rows), self.bias)
        for tree in self.trees:
            total += tree.scores(rows)
        return np.asarray(1 / (1 + np.exp(-total)), np.float64)

    def as_record(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "bias": self.bias,
            "trees": [
                {
                    "features": tree.features.tolist(),
                    "thresholds": [round(float(t), 6) for t in tree.thresholds],
                    "leaves": [round(float(v), 5) for v in tree.leaves],
                }
                for tree in self.trees
            ],
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> BoostedTrees:
        """The inverse of `as_record`.

        Raises:
            ValueError: the numbers make no complete trees.
        """
        trees = []
        for entry in record["trees"]:
            tree = Tree(
                np.array(entry["features"], np.int32),
                np.array(entry["thresholds"], np.float32),
                np.array(entry["leaves"], np.float32),
            )
            if not len(tree.features) == len(tree.thresholds) == len(tree.leaves) - 1:
                raise ValueError("a tree of the ranker is not complete")
            trees.append(tree)
        return cls(float(record["bias"]), trees)


def grow(rows: Matrix, labels: npt.NDArray[np.bool_], growth: Growth | None = None) -> BoostedTrees:
    """Trees for ``rows`` ``[n, features]`` and their ``labels`` ``[n]``; the same every time."""
    growth = growth or Growth()
    edges = [_edges(rows[:, column]) for column in range(rows.shape[1])]
    binned = np.stack(
        [np.searchsorted(edge, rows[:, column]) for column, edge in enumerate(edges)]
    ).astype(np.int64)
    share = float(np.clip(labels.mean(), 1e-6, 1 - 1e-6))
    model = BoostedTrees(bias=float(np.log(share / (1 - share))))
    total = np.full(len(rows), model.bias)
    for _ in range(growth.rounds):
        chance = 1 / (1 + np.exp(-total))
        tree, leaf = _grow_one(binned, edges, chance - labels, chance * (1 - chance), growth)
        total += tree.leaves[leaf]
        model.trees.append(tree)
    return model


def _edges(column: npt.NDArray[np.float32]) -> Matrix:
    """Thresholds between the bins of a column, at its quantiles."""
    return np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1])).astype(np.float32)


def _grow_one(
    binned: npt.NDArray[np.int64],
    edges: list[Matrix],
    slope: Floats,
    curve: Floats,
    growth: Growth,
) -> tuple[Tree, npt.NDArray[np.int64]]:
    """A tree, and the leaf of each row."""
    inner = 2**growth.depth - 1
    features = np.zeros(inner, np.int32)
    thresholds = np.full(inner, np.inf, np.float32)
    nodes = np.zeros(binned.shape[1], np.int64)
    for level in range(growth.depth):
        count, offset = 2**level, 2**level - 1
        place = nodes - offset
        best = np.full(count, 1e-6)
        cut = np.full(count, BINS, np.int64)
        for column, edge in enumerate(edges):
            gain, at = _best_cut(place, binned[column], count, slope, curve, growth)
            better = (gain > best) & (at < len(edge))
            best[better], cut[better] = gain[better], at[better]
            chosen = offset + np.flatnonzero(better)
            features[chosen] = column
            thresholds[chosen] = edge[at[better]]
        nodes = 2 * nodes + 1 + (binned[features[nodes], np.arange(len(nodes))] > cut[place])
    leaf = nodes - inner
    down = np.bincount(leaf, slope, 2**growth.depth)
    weight = np.bincount(leaf, curve, 2**growth.depth)
    leaves = (-growth.rate * down / (weight + growth.penalty)).astype(np.float32)
    return Tree(features, thresholds, leaves), leaf


def _best_cut(
    place: npt.NDArray[np.int64],
    column: npt.NDArray[np.int64],
    count: int,
    slope: Floats,
    curve: Floats,
    growth: Growth,
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """For each node of a level the best gain of one column, and the bin after which it is cut."""
    key = place * BINS + column
    down = np.bincount(key, slope, count * BINS).reshape(count, BINS).cumsum(axis=1)
    weight = np.bincount(key, curve, count * BINS).reshape(count, BINS).cumsum(axis=1)
    all_down, all_weight = down[:, -1:], weight[:, -1:]
    other_down, other_weight = all_down - down, all_weight - weight

    def worth(slopes: Floats, weights: Floats) -> Floats:
        return np.asarray(slopes**2 / (weights + growth.penalty), np.float64)

    gain = worth(down, weight) + worth(other_down, other_weight) - worth(all_down, all_weight)
    gain[(weight < growth.smallest_leaf / 4) | (other_weight < growth.smallest_leaf / 4)] = 0
    at = gain.argmax(axis=1)
    return gain[np.arange(count), at], at
