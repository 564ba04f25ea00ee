"""``bedside eval structuring``: are entities, relations and codes those that people labelled?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from eval.clinical.structuring.document import Document, Items, What, read_gold, read_predictions
from eval.commands.clinical import finish
from eval.commands.common import (
    Json,
    Require,
    command_line,
    console,
    installation,
    parse_gates,
    sentences,
)
from eval.commands.knowledge_options import NO_ENCODER, BaseFolder, open_base
from eval.commands.model_options import Quiet
from eval.errors import InputError

if TYPE_CHECKING:
    from eval.clinical.structuring.product import Reader
    from knowledge.base import KnowledgeBase


@sentences
def structuring(
    context: typer.Context,
    gold: Annotated[Path, typer.Option(help="Labelled texts, JSON lines (.gz too).")],
    what: Annotated[What, typer.Option(help="What is scored.")],
    out: Annotated[Path, typer.Option(help="Folder of the result.")],
    pred: Annotated[
        Path | None,
        typer.Option(
            help="Saved predictions in the form of the gold, by id or in its order; default: "
            "Bedside's own structuring is run."
        ),
    ] = None,
    types: Annotated[
        Path | None,
        typer.Option(help="YAML, a line a type of entity, gold: ours; null leaves it out."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first texts.")] = None,
    base: BaseFolder = None,
    quiet: Quiet = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Strict precision, recall and F1 of entities, of triples, or of standard terms of diagnoses.

    Scores for --require: entities, triples or terms (F1), with .precision, .recall or .exact (the
    share of texts without an error) behind it; entities:TYPE and triples:PREDICATE, the F1 of one.
    """
    from eval.clinical.structuring.evaluation import evaluate, labelled, score_names
    from eval.clinical.structuring.types import TypeNames, read_types

    if types is not None and what is not What.ENTITIES:
        raise typer.BadParameter("only entities have types", param_hint="--types")
    names = read_types(types) if types is not None else TypeNames()
    documents = read_gold(gold, what)
    scored = labelled(what, documents[:limit], names, recogniser_only=pred is None)
    if not any(document.items for document in scored.documents):
        raise InputError(gold, 0, "nothing of the texts that are read is scored.")
    gates = parse_gates(require, score_names(what, scored), "this gold")
    sources = [str(path) for path in (gold, pred, types) if path is not None]
    reader: Reader | None = None
    version = ""
    if pred is not None:
        predicted = read_predictions(pred, what, documents, limit)
    else:
        reader, predicted, version = _structured(context, what, documents[:limit], base, quiet)
    result = evaluate(
        what,
        scored,
        predicted,
        names=names,
        model=reader.identity if reader else None,
        notes=[*reader.notes, *_seen(reader, scored.documents)] if reader else (),
        knowledge=version,
        command=command_line(),
        sources=sources,
    )
    finish(result, out, gates, as_json=as_json)


def _structured(
    context: typer.Context,
    what: What,
    documents: Sequence[Document],
    folder: Path | None,
    quiet: bool,
) -> tuple[Reader, list[Items], str]:
    """(the installation's reader, what it read, the version of the base)."""
    from eval.clinical.structuring.product import open_reader, read_all

    home = installation(context).home
    knowledge: KnowledgeBase | None = None
    if folder is not None or what is What.TERMS or (home / "knowledge").is_dir():
        knowledge = open_base(context, folder, NO_ENCODER)
    try:
        reader = open_reader(what, knowledge, home)
        with Progress(console=console, transient=True, disable=quiet) as progress:
            bar = progress.add_task("结构化 structuring", total=len(documents))
            found = read_all(reader, documents, lambda: progress.advance(bar))
        return reader, found, knowledge.version if knowledge is not None else ""
    finally:
        if knowledge is not None:
            knowledge.close()


def _seen(reader: Reader, documents: Sequence[Document]) -> list[str]:
    seen = sum(document.text in reader.trained_on for document in documents)
    if not seen:
        return []
    return [
        f"{seen} 条文本用于训练过编码排序器，分数偏高。The ranker of codes was trained on {seen} "
        "of these texts; the scores are too good."
    ]
