"""Labelled texts and what was read from them → a clinical result.

An item counts as right when all of it is the same: start, end and type of an entity; subject,
predicate and object of a triple as strings; a standard term of a diagnosis, as CHIP-CDN counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eval.clinical.proportion import share
from eval.clinical.result import Case, ClinicalResult, Figure, Table
from eval.clinical.structuring.document import Document, Item, Items, What
from eval.clinical.structuring.micro import Micro, measure
from eval.clinical.structuring.types import TypeNames, is_known
from eval.run.identity import digest

WORST = 60
FEW = 30

_ZH = {What.ENTITIES: "实体", What.TRIPLES: "三元组", What.TERMS: "标准术语"}
_KIND = {What.ENTITIES: ("类型", "type"), What.TRIPLES: ("关系", "predicate")}
_OVERALL = "总体 All together"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Documents under the types that are scored, and the gold that is counted apart."""

    documents: Sequence[Document]
    apart: Mapping[str, int] = field(default_factory=dict)


def labelled(
    what: What, documents: Sequence[Document], names: TypeNames, *, recogniser_only: bool
) -> Labelled:
    """``documents`` as they are scored.

    Entities get the types that theirs mean.  With ``recogniser_only``, types that the product's
    recognisers do not have are counted apart; else only those that ``names`` takes out.
    """
    if what is not What.ENTITIES:
        return Labelled(documents)
    scored = []
    apart: Counter[str] = Counter()
    for document in documents:
        kept, out = names.renamed(document.items)
        foreign = {i for i in kept if recogniser_only and not is_known(i.kind)}
        apart.update(item.kind for item in (*out, *foreign))
        scored.append(Document(document.id, document.text, kept - foreign))
    return Labelled(scored, dict(sorted(apart.items())))


def score_names(what: What, gold: Labelled) -> list[str]:
    """The scores that a result will have for ``gold``."""
    kinds = sorted({item.kind for d in gold.documents for item in d.items} - {""})
    overall = ["", ".precision", ".recall", ".exact"]
    return [f"{what.value}{of}" for of in (*overall, *(f":{kind}" for kind in kinds))]


def evaluate(
    what: What,
    gold: Labelled,
    predicted: Sequence[Items],
    *,
    names: TypeNames | None = None,
    model: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    knowledge: str = "",
    command: str = "",
    sources: Sequence[str] = (),
) -> ClinicalResult:
    """Score ``predicted``, the items of each document of ``gold`` in their order."""
    documents = gold.documents
    if what is What.ENTITIES:
        types = names or TypeNames()
        predicted = [types.renamed(items)[0] for items in predicted]
    wanted = [document.items for document in documents]
    in_gold = Counter(item.kind for items in wanted for item in items)
    found = Counter(item.kind for items in predicted for item in items)
    kinds = sorted({*in_gold, *found}, key=lambda kind: (-in_gold[kind], kind))
    overall, each = measure(wanted, predicted, kinds)
    of_kind = dict(zip(kinds, each, strict=True)) if what in _KIND else {}
    figures = _figures(what, overall, of_kind, wanted, predicted)
    f1 = figures[0]
    scores = {
        f"{what.value}{suffix}": figure.value
        for suffix, figure in zip(("", ".precision", ".recall", ".exact"), figures, strict=False)
    }
    scores |= {
        f"{what.value}:{kind}": micro.f1(kind).value
        for kind, micro in of_kind.items()
        if micro.gold
    }
    hashes = {"data": digest([[d.id, d.text, _plain(d.items)] for d in documents])}
    hashes["predictions"] = digest([_plain(items) for items in predicted])
    if knowledge:
        hashes["knowledge"] = knowledge
    return ClinicalResult(
        kind="structuring",
        title=f"病历结构化评测：{_ZH[what]} Structuring: {what.value}",
        headline=f1.model_copy(
            update={"name": f"{_ZH[what]} {what.value}, {f1.name}", "group": ""}
        ),
        scores=scores,
        figures=figures,
        tables=_tables(what, of_kind, gold.apart),
        cases=_worst(documents, predicted),
        notes=[*_notes(what, gold, of_kind), *notes],
        model=dict(model or {}),
        hashes=hashes,
        command=command,
        sources=list(sources),
    )


def _plain(items: Items) -> list[list[str | int]]:
    return sorted((list(item.key) for item in items), key=lambda key: [str(part) for part in key])


def _figures(
    what: What,
    overall: Micro,
    of_kind: Mapping[str, Micro],
    wanted: Sequence[Items],
    predicted: Sequence[Items],
) -> list[Figure]:
    exact = {
        str(place): (int(gold == found), 1)
        for place, (gold, found) in enumerate(zip(wanted, predicted, strict=True))
    }
    figures = [
        overall.f1("F1", _OVERALL),
        overall.precision("精确率 precision", _OVERALL),
        overall.recall("召回率 recall", _OVERALL),
        share("整条全对 documents all right", exact, group=_OVERALL),
    ]
    if what in _KIND:
        zh, en = _KIND[what]
        group = f"各{zh} F1 by {en}"
        figures += [micro.f1(kind, group) for kind, micro in of_kind.items() if micro.gold]
    return figures


def _tables(what: What, of_kind: Mapping[str, Micro], apart: Mapping[str, int]) -> list[Table]:
    if what not in _KIND:
        return []
    zh, en = _KIND[what]
    rows = []
    for kind, micro in of_kind.items():
        parts = (micro.precision(""), micro.recall(""), micro.f1(""))
        counts = (micro.gold, micro.predicted, micro.right)
        rows.append([kind, *(f"{n}" for n in counts), *(_with_interval(f) for f in parts)])
    columns = ["标准 gold", "预测 predicted", "正确 right"]
    measures = ["精确率 precision", "召回率 recall", "F1"]
    tables = [
        Table(
            title=f"各{zh} By {en}",
            columns=[f"{zh} {en}", *columns, *measures],
            rows=rows,
            note="95 % 区间按文档自助法。95 % intervals: bootstrap over documents.",
        )
    ]
    if apart:
        tables.append(
            Table(
                title="不计分的类型 Types that are not scored",
                columns=[f"{zh} {en}", columns[0]],
                rows=[[kind, str(count)] for kind, count in apart.items()],
            )
        )
    return tables


def _with_interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return f"{figure.value:.1f}"
    return f"{figure.value:.1f} ({figure.low:.1f} – {figure.high:.1f})"


def _notes(what: What, gold: Labelled, of_kind: Mapping[str, Micro]) -> list[str]:
    notes = []
    if (n := len(gold.documents)) < FEW:
        notes.append(f"只有 {n} 条，太少。Only {n} documents, too few to decide on.")
    if gold.apart:
        named = "、".join(f"{kind} ({count})" for kind, count in gold.apart.items())
        notes.append(
            f"下列类型另计，不在分数内：{named}。These types of the gold are counted apart, not "
            "scored; --types maps them."
        )
    strange = [kind for kind, micro in of_kind.items() if kind and not micro.gold]
    if strange and what is What.ENTITIES:
        named = "、".join(f"{kind} ({of_kind[kind].predicted})" for kind in strange)
        notes.append(
            f"标准中没有的类型，预测全算错：{named}。Predictions of types that the gold does not "
            "have all count as wrong; --types maps them or takes them out."
        )
    nowhere = sum(_is_nowhere(item, d.text) for d in gold.documents for item in d.items)
    if nowhere:
        notes.append(
            f"{nowhere} 个标准实体为空或超出其文本，无法识别。{nowhere} entities of the gold are "
            "empty or end beyond their text; no recogniser can find them."
        )
    return notes


def _is_nowhere(item: Item, text: str) -> bool:
    start, end = item.key[0], item.key[1] if len(item.key) > 1 else ""
    return isinstance(start, int) and isinstance(end, int) and not start < end <= len(text)


def _worst(documents: Sequence[Document], predicted: Sequence[Items]) -> list[Case]:
    """Documents with errors, the lowest F1 first, and of these the one with most errors."""
    ranked = []
    for document, found in zip(documents, predicted, strict=True):
        errors = len(document.items ^ found)
        if errors:
            both = len(document.items) + len(found)
            ranked.append((2 * len(document.items & found) / both, -errors, document, found))
    ranked.sort(key=lambda entry: entry[:2])
    return [
        Case(
            id=document.id,
            given=document.text,
            expected=_listed(document.items, found, document.text),
            answer=_listed(found, document.items, document.text),
            note=f"F1 {100 * f1:.0f}，漏 missed {len(document.items - found)}，"
            f"错 wrong {len(found - document.items)}",
        )
        for f1, _, document, found in ranked[:WORST]
    ]


def _listed(items: Items, others: Items, text: str) -> str:
    """The items a line each, ✗ before those that ``others`` lack."""
    ordered = sorted(items, key=lambda item: [(isinstance(p, str), p) for p in item.key])
    return "\n".join(f"{'' if item in others else '✗ '}{item.words(text)}" for item in ordered)
