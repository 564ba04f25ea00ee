"""Text2DT: a treatment decision tree as the list of its nodes, parents before children.

``节点0：role=C；logical_rel=null；triples=[[…]]``.  Condition nodes (C) have two children, decision
nodes (D) none.  The score is 1 − (edit distance / largest possible distance), both summed over all
trees.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from eval.promptcblue import grammar
from eval.promptcblue.sample import Sample
from eval.promptcblue.tally import Tally, ratio
from eval.promptcblue.task import Choices, Flaw, OddLine, Parsed, Task, flaws

LEAD = "根据给定的指南文本抽取的诊疗决策树"
_ROLE = "：role="
_LOGIC = "；logical_rel="
_TRIPLES = "；triples="
_MOST_CONDITIONS = 101
"""The official scorer gives up on a tree with more condition nodes and keeps its root alone."""

Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Node:
    """One node; triples are lower-cased, as they are compared."""

    role: str
    logic: str
    triples: frozenset[Triple]

    def distance(self, other: Node | None) -> int:
        """Role, logic and triples that differ; without ``other``, what the node itself weighs."""
        role, logic = (other.role, other.logic) if other else ("", "null")
        triples = other.triples if other else frozenset()
        return (self.role != role) + (self.logic != logic) + len(self.triples ^ triples)


Tree = tuple[Node, ...]

NO_TREE: Tree = (Node("D", "null", frozenset()),)


@dataclass(frozen=True, slots=True)
class _Branch:
    node: Node
    children: tuple[_Branch, ...] = ()

    def __iter__(self) -> Iterator[_Branch]:
        yield self
        for child in self.children:
            yield from child


class DecisionTree(Task):
    """An answer is the list of nodes as written."""

    metric = "1 - tree edit ratio"

    def parse(self, text: str, choices: Choices) -> Parsed:
        """See `Task.parse`."""
        lines = [line for line in text.split("\n") if line and LEAD not in line]
        nodes: list[Node] = []
        dropped = False
        for line in lines:
            triples = _triples(line)
            dropped = dropped or triples is None
            nodes.append(Node(_role(line), _logic(line), triples or frozenset()))
        return Parsed(
            tuple(nodes) or NO_TREE,
            flaws(
                (Flaw.EMPTY, not text.strip()),
                (Flaw.NO_ITEMS, bool(text.strip()) and not nodes),
                (Flaw.DROPPED_LINE, dropped),
            ),
        )

    def tally(self, golds: Sequence[Any], answers: Sequence[Any]) -> Tally:
        """See `Task.tally`.  What was not answered is as far from gold as can be."""
        rows = []
        for gold, answer in zip(golds, answers, strict=True):
            most = _size(gold) + (_size(answer) if answer is not None else 0)
            apart = most if answer is None else _apart(_root(answer), _root(gold))
            rows.append((float(most - apart), float(most)))
        return ratio(rows)

    def grammar(self, sample: Sample) -> str | None:
        """A whole binary tree, so that every condition has its two branches."""
        quoted = grammar.literal('"')
        return grammar.grammar(
            f"{grammar.literal(LEAD + '如下：')} tree",
            tree="decision | condition tree tree",
            condition='start "C" rest',
            decision='start "D" rest',
            start=f'"\\n节点" [0-9]{{1,2}} "{_ROLE}"',
            rest=f'"{_LOGIC}" ("null" | "and" | "or") "{_TRIPLES}[" triples "]"',
            triples=grammar.listed("triple", 12, ", "),
            triple='"[" text ", " text ", " text "]"',
            text=" ".join([quoted, grammar.free_text('"\\'), quoted]),
        )


def _role(line: str) -> str:
    parts = line.split(_ROLE)
    if len(parts) < 2:
        raise OddLine("a node without a role")
    return parts[1].split(_LOGIC)[0]


def _logic(line: str) -> str:
    parts = line.split(_LOGIC)
    return parts[1].split(_TRIPLES)[0] if len(parts) > 1 else "null"


def _triples(line: str) -> frozenset[Triple] | None:
    """The triples of a line; None where they are no list, or some are no triples."""
    parts = line.split(_TRIPLES)
    if len(parts) < 2:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            value = ast.literal_eval(parts[1])
        threes = [item for item in value if len(item) == 3] if isinstance(value, list) else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if threes is None:
        return None
    return frozenset(_triple(item) for item in threes)


def _triple(item: Any) -> Triple:
    # A word of three characters passes for a triple in the official scorer.
    if not isinstance(item, str | list | tuple) or not all(isinstance(part, str) for part in item):
        raise OddLine("a triple that is not of text")
    first, second, third = (part.lower() for part in item)
    return first, second, third


def _size(tree: Tree) -> int:
    """How far a tree is from nothing, at most: its different triples, and two a filled node."""
    triples = frozenset[Triple]().union(*(node.triples for node in tree))
    return len(triples) + 2 * sum(bool(node.triples) for node in tree)


def _root(tree: Tree) -> _Branch:
    """The tree of the nodes in their order; the first node alone where they make no whole tree.

    Nodes that are neither C nor D are passed over, except as the first.
    """
    alone = _Branch(tree[0])
    waiting: list[tuple[Node, list[_Branch]]] = []
    conditions = 0
    for place, node in enumerate(tree):
        if node.role == "C":
            conditions += 1
            waiting.append((node, []))
            if conditions > _MOST_CONDITIONS:
                return alone
            continue
        if place == 0:
            return alone
        if node.role != "D":
            continue
        branch = _Branch(node)
        while waiting:
            parent, children = waiting[-1]
            children.append(branch)
            if len(children) < 2:
                break
            waiting.pop()
            branch = _Branch(parent, tuple(children))
        if not waiting:
            return branch
    return alone


def _apart(answer: _Branch, gold: _Branch) -> int:
    """The edit distance of two trees, children being compared left with left, right with right."""
    pairs = [(answer, gold)]
    total = 0
    while pairs:
        one, other = pairs.pop()
        total += one.node.distance(other.node)
        if one.children and other.children:
            pairs.extend(zip(one.children, other.children, strict=True))
        else:
            deeper = (*one.children, *other.children)
            total += sum(branch.node.distance(None) for child in deeper for branch in child)
    return total
