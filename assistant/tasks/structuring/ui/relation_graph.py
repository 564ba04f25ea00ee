"""The relations of a note as a graph, for the page's script to draw."""

from __future__ import annotations

import json
from collections import Counter

from pydantic import BaseModel

from assistant.tasks.structuring.entity import Argument, Relation, StructuredNote
from assistant.tasks.structuring.ui import assertion
from assistant.tasks.structuring.ui.place import address
from assistant.ui.markup import button, esc
from assistant.ui.strings import Text

MOST_EDGES = 120
"""A larger picture could not be read; the list has them all."""


class Node(BaseModel):
    """An entity, or the words of an attribute.  ``to`` is its place in the note."""

    id: str
    type: str
    text: str
    mark: str
    label: str
    to: str


class Edge(BaseModel):
    """The relations of a subject to an object, which are numbers among the nodes."""

    source: int
    target: int
    predicate: str
    kind: str


class Graph(BaseModel):
    """Nodes in the order of the text, and the edges between them.

    ``shown`` and ``left_out`` count relations.
    """

    nodes: list[Node]
    edges: list[Edge]
    shown: int
    left_out: int


def graph_of(note: StructuredNote, t: Text, most: int = MOST_EDGES) -> Graph:
    """The graph of a note: relations between concepts first, attributes while there is room."""
    ordered = sorted(
        note.relations, key=lambda r: (r.kind != "triple", r.evidence.start, r.subject.start)
    )
    chosen = _distinct(ordered)
    shown = chosen[:most]
    ends = {_key(end): end for r in shown for end in (r.subject, r.object)}
    keys = sorted(ends, key=lambda key: (ends[key].start, ends[key].end, key))
    number = {key: n for n, key in enumerate(keys)}
    degree = Counter(_key(end) for r in shown for end in (r.subject, r.object))
    return Graph(
        nodes=[_node(note, key, ends[key], degree[key], t) for key in keys],
        edges=_edges(shown, number),
        shown=len(shown),
        left_out=len(chosen) - len(shown),
    )


def _edges(relations: list[Relation], number: dict[str, int]) -> list[Edge]:
    """One edge for all relations of the same two ends: their words would lie on each other."""
    edges: dict[tuple[int, int], Edge] = {}
    for r in relations:
        source, target = number[_key(r.subject)], number[_key(r.object)]
        known = edges.get((source, target))
        if known is None:
            edges[source, target] = Edge(
                source=source, target=target, predicate=r.predicate, kind=r.kind
            )
        else:
            known.predicate += f"、{r.predicate}"
    return list(edges.values())


def _distinct(relations: list[Relation]) -> list[Relation]:
    """Each once: several sentences may say the same of the same words."""
    return list({(_key(r.subject), r.predicate, _key(r.object)): r for r in relations}.values())


def _key(end: Argument) -> str:
    return end.entity or f"{end.type}-{end.start}-{end.end}"


def _node(note: StructuredNote, key: str, end: Argument, degree: int, t: Text) -> Node:
    kind = t(f"type.{end.type}")
    entity = note.entity(end.entity) if end.entity else None
    words = assertion.words(entity, t) if entity is not None else []
    text = "，".join([end.text, *words])
    return Node(
        id=key,
        type=str(end.type),
        text=end.text,
        mark=assertion.mark(entity, t) if entity is not None else "",
        label=t("graph.node", type=kind, text=text, n=degree),
        to=address(note.note_id, end.start, end.end),
    )


def graph_html(note: StructuredNote, t: Text) -> str:
    """The place of the picture with the graph in it as JSON; "" without relations."""
    graph = graph_of(note, t)
    if not graph.edges:
        return ""
    label = t("graph.label", nodes=len(graph.nodes), edges=graph.shown)
    data = json.dumps(graph.model_dump(), ensure_ascii=False, separators=(",", ":"))
    tools = "".join(
        button(sign, "graph", css="quiet", zoom=zoom, title=t(f"graph.{zoom}"))
        for zoom, sign in (("in", "+"), ("out", "−"), ("reset", "0"))
    )
    cut = (
        f'<p class="hint">{esc(t("graph.cut", n=graph.shown, rest=graph.left_out))}</p>'
        if graph.left_out
        else ""
    )
    return (
        f'<figure class="graph" aria-label="{esc(label)}" data-graph="{esc(data)}">'
        f'<div class="graph-tools">{tools}</div><div class="graph-view"></div>'
        f'<figcaption class="hint">{esc(t("graph.hint"))}</figcaption></figure>{cut}'
    )
