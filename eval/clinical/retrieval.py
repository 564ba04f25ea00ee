"""Retrieval: are the passages that a question needs among the first that the base gives?

A query is ``{"query": …, "relevant": […]}``: ids of passages, or names of diseases.  A passage is
about a disease when its subject is one of its names, or the same with or without 小儿, 急性 and the
like.  ``id`` and ``group`` (figures of a group are given apart) may stand beside them.

Recall@k is the share of what is relevant to a query that stands among its first k passages;
the reciprocal rank is that of the first passage that is relevant, 0 beyond the last k.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from eval.clinical.mean import mean
from eval.clinical.result import Case, ClinicalResult, Figure, Table
from eval.errors import InputError
from eval.json_lines import names_of, read_objects
from eval.run.identity import digest
from knowledge.base import KnowledgeBase
from knowledge.graph import diagnosis_key
from knowledge.sources import Passage
from knowledge.text.folding import fold

DEPTHS = (1, 5, 10, 20)
WORST = 30
FEW = 30

LEXICAL, VECTOR, FUSED = "lexical", "vector", "fused"
_TITLES = {LEXICAL: "词语 lexical", VECTOR: "向量 vector", FUSED: "融合 fused"}

SCORES = tuple(
    prefix + measure
    for prefix in ("", f"{LEXICAL}.", f"{VECTOR}.")
    for measure in (*(f"recall{k}" for k in DEPTHS), "mrr")
)
"""Names of the scores; those without a prefix are of the fused search that Bedside uses."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that is relevant: a passage, or any passage about a disease."""

    text: str
    passage_id: str = ""
    keys: frozenset[str] = frozenset()

    def is_met_by(self, passage: Passage) -> bool:
        """Whether ``passage`` is it."""
        if self.passage_id:
            return passage.id == self.passage_id
        return diagnosis_key(passage.subject) in self.keys


@dataclass(frozen=True, slots=True)
class Query:
    """A question and what is relevant to it."""

    id: str
    text: str
    relevant: tuple[Wanted, ...]
    group: str = ""


def own_queries() -> Path:
    """The project's own queries: questions of three kinds about diseases that CMeKG holds."""
    return Path(str(resources.files("eval.clinical") / "data" / "retrieval_queries.jsonl"))


def read_queries(path: Path, base: KnowledgeBase) -> list[Query]:
    """The queries of a file.

    Raises:
        InputError: with file, line and field; also where the base does not have what is relevant.
    """
    queries: list[Query] = []
    lines: dict[str, int] = {}
    for line, row in read_objects(path):
        name = row.get("id", f"{path.name.split('.')[0]}-{line}")
        text, group = row.get("query"), row.get("group", "")
        if not isinstance(name, str) or not name.strip():
            raise InputError(path, line, "text is needed.", "id")
        if name in lines:
            problem = f"{name!r} stands in line {lines[name]} already; ids must be unique."
            raise InputError(path, line, problem, "id")
        if not isinstance(text, str) or not text.strip():
            raise InputError(path, line, "a question is needed.", "query")
        if not isinstance(group, str):
            raise InputError(path, line, "text is needed.", "group")
        lines[name] = line
        queries.append(Query(name, text, _relevant(path, line, row, base), group))
    if not queries:
        raise InputError(path, 0, "there is no query.")
    return queries


def _relevant(
    path: Path, line: int, row: Mapping[str, Any], base: KnowledgeBase
) -> tuple[Wanted, ...]:
    needed = "a list of passage ids or names of diseases is needed."
    wanted = {}
    for name in names_of(path, line, row, "relevant", needed):
        found = _wanted(name, base)
        if found is None:
            problem = f"the base has no passage and no disease {name!r}."
            raise InputError(path, line, problem, "relevant")
        wanted[found.passage_id or found.keys] = found
    return tuple(wanted.values())


def _wanted(name: str, base: KnowledgeBase) -> Wanted | None:
    if base.index.passage(name) is not None:
        return Wanted(name, passage_id=name)
    disease = base.graph.disease(name)
    if disease is None:
        return None
    names = (name, disease.name, *disease.aliases)
    return Wanted(name, keys=frozenset(diagnosis_key(fold(other)) for other in names))


@dataclass(frozen=True, slots=True)
class Found:
    """What a query gave: passages, and the rank of each relevant thing, from 1, or None."""

    passages: list[Passage]
    ranks: tuple[int | None, ...]

    def recall(self, k: int) -> float:
        """Share of what is relevant within the first ``k``."""
        return sum(rank is not None and rank <= k for rank in self.ranks) / len(self.ranks)

    @property
    def reciprocal(self) -> float:
        """1 / rank of the first that is relevant, or 0."""
        known = [rank for rank in self.ranks if rank is not None]
        return 1 / min(known) if known else 0.0


Search = Callable[[str, int], list[Passage]]


def searches(base: KnowledgeBase) -> dict[str, Search]:
    """The ways in which the base can be searched."""
    index = base.index
    ways: dict[str, Search] = {
        FUSED: lambda query, k: [hit.passage for hit in index.search(query, k)],
        LEXICAL: index.by_words,
    }
    if index.is_hybrid:
        ways[VECTOR] = index.by_meaning
    return ways


def find(queries: Sequence[Query], search: Search) -> list[Found]:
    """Every query, each to the greatest depth."""
    found = []
    for query in queries:
        passages = search(query.text, DEPTHS[-1])
        ranks = tuple(
            next((rank for rank, p in enumerate(passages, 1) if wanted.is_met_by(p)), None)
            for wanted in query.relevant
        )
        found.append(Found(passages, ranks))
    return found


def evaluate(
    queries: Sequence[Query],
    base: KnowledgeBase,
    *,
    command: str = "",
    sources: Sequence[str] = (),
) -> ClinicalResult:
    """Search every query in every way, and measure."""
    found = {way: find(queries, search) for way, search in searches(base).items()}
    figures = [figure for way, each in found.items() for figure in _figures(_TITLES[way], each)]
    scores: dict[str, float] = {}
    for way, each in found.items():
        prefix = "" if way == FUSED else f"{way}."
        for k in DEPTHS:
            scores[f"{prefix}recall{k}"] = round(_percent([f.recall(k) for f in each]), 4)
        scores[f"{prefix}mrr"] = round(_percent([f.reciprocal for f in each]), 4)
    headline = next(f for f in figures if f.group == _TITLES[FUSED] and "@10" in f.name)
    n = len(queries)
    notes = [] if n >= FEW else [f"只有 {n} 个问题，太少。Only {n} queries, too few to decide on."]
    if base.notice:
        notes.append(f"未用向量检索。{base.notice}")
    return ClinicalResult(
        kind="retrieval",
        title="检索评测 Retrieval",
        headline=headline.model_copy(update={"name": f"融合检索 {headline.name}", "group": ""}),
        scores=scores,
        figures=figures,
        tables=[_by_group(queries, found)] if any(query.group for query in queries) else [],
        cases=_worst(queries, found[FUSED]),
        notes=notes,
        hashes={
            "data": digest([[q.id, q.text, [w.text for w in q.relevant]] for q in queries]),
            "knowledge": base.version,
        },
        command=command,
        sources=list(sources),
    )


def _percent(values: Sequence[float]) -> float:
    return 100 * sum(values) / len(values)


def _figures(group: str, found: Sequence[Found]) -> list[Figure]:
    recalls = [
        mean(f"召回 recall@{k}", [100 * f.recall(k) for f in found], unit="%", group=group)
        for k in DEPTHS
    ]
    return [*recalls, mean("平均倒数排名 MRR", [f.reciprocal for f in found], group=group)]


def _by_group(queries: Sequence[Query], found: Mapping[str, list[Found]]) -> Table:
    rows = []
    for group in dict.fromkeys(query.group for query in queries):
        places = [place for place, query in enumerate(queries) if query.group == group]
        row = [group or "–", str(len(places))]
        for each in found.values():
            of_group = [each[place] for place in places]
            row += [f"{_percent([f.recall(k) for f in of_group]):.1f}" for k in (1, 10)]
            row.append(f"{_percent([f.reciprocal for f in of_group]) / 100:.3f}")
        rows.append(row)
    measures = ("recall@1", "recall@10", "MRR")
    return Table(
        title="问题类型 By kind of query",
        columns=["类型 kind", "n", *(f"{_TITLES[way]} {m}" for way in found for m in measures)],
        rows=rows,
    )


def _worst(queries: Sequence[Query], found: Sequence[Found]) -> list[Case]:
    """Queries whose first passage is not what is relevant, the worst first."""
    missed = [(q, f) for q, f in zip(queries, found, strict=True) if f.reciprocal < 1]
    missed.sort(key=lambda pair: (pair[1].recall(DEPTHS[-1]), pair[1].reciprocal))
    return [
        Case(
            id=query.id,
            kind=query.group,
            given=query.text,
            expected="、".join(wanted.text for wanted in query.relevant),
            answer="\n".join(f"{n}. {p.title}" for n, p in enumerate(f.passages[:5], 1)),
            note=f"倒数排名 reciprocal rank {f.reciprocal:.2f}",
        )
        for query, f in missed[:WORST]
    ]
