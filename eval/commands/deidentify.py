"""``bedside eval deidentify``: does every name go, and nothing clinical with it?"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from eval.clinical.deidentify.evaluation import SCORES, evaluate
from eval.clinical.deidentify.sentence import read_sentences
from eval.commands.clinical import finish
from eval.commands.common import Json, Require, command_line, parse_gates, sentences

OWN = Path(str(files("eval.clinical") / "data" / "deidentify" / "sentences.tsv"))


@sentences
def deidentify(
    out: Annotated[
        Path | None, typer.Option(help="Folder of the result; default: nothing is written.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Marked sentences (see the head of the project's own, the default)."),
    ] = None,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Names, ids, phones, addresses, dates, wards and hospitals: found, replaced, stable.

    Scores for --require, 0 to 100: recall, recall_held, names, kept (clinical words that stay),
    precision, unread (nothing of it readable afterwards), stable.
    """
    gates = parse_gates(require, SCORES, "deidentify")
    data = data or OWN
    result = evaluate(read_sentences(data), command=command_line(), sources=[str(data)])
    finish(result, out, gates, as_json=as_json)
