"""``bedside eval assertion``: are denials, doubts, times and persons read as they are meant?"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.opening import open_recognizer
from assistant.tasks.structuring.pipeline import Structurer
from eval.clinical.assertion.evaluation import SCORES, evaluate
from eval.clinical.assertion.reading import read_at
from eval.clinical.assertion.snippet import read_snippets
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
from knowledge.base import KnowledgeBase

OWN = Path(str(files("eval.clinical") / "data" / "assertion" / "own.jsonl"))


@sentences
def assertion(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the result; default: nothing is written.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled snippets, JSON lines (.gz too); default: the project's own."),
    ] = None,
    split: Annotated[str, typer.Option(help="Only the snippets of this split.")] = "",
    base: BaseFolder = None,
    quiet: Quiet = False,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Held against labelled mentions: found, polarity, certainty, time, whose.

    Scores for --require, 0 to 100: found, denied_kept (100: no denial comes out asserted),
    asserted_kept, polarity, uncertain, certain, past, hypothetical, current, another_person,
    patient.
    """
    gates = parse_gates(require, SCORES, "assertion")
    data = data or OWN
    snippets = read_snippets(data, split)
    home = installation(context).home
    knowledge: KnowledgeBase | None = None
    if base is not None or (home / "knowledge").is_dir():
        knowledge = open_base(context, base, NO_ENCODER)
    try:
        structurer = Structurer(knowledge, open_recognizer(home))
        readings = []
        with Progress(console=console, transient=True, disable=quiet) as progress:
            bar = progress.add_task("断言 assertion", total=len(snippets))
            for snippet in snippets:
                entities = structurer.structure(NoteText("", snippet.text)).entities
                readings.append([read_at(mention, entities) for mention in snippet.mentions])
                progress.advance(bar)
        result = evaluate(
            snippets,
            readings,
            model={"name": structurer.model},
            knowledge=knowledge.version if knowledge is not None else "",
            command=command_line(),
            sources=[str(data)],
        )
    finally:
        if knowledge is not None:
            knowledge.close()
    finish(result, out, gates, as_json=as_json)
