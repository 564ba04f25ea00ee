"""``bedside eval discharge``: discharge records of encounters whose facts are known."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from eval.commands.asked_model import AskedModel, asks_model
from eval.commands.clinical import finish
from eval.commands.common import (
    Json,
    Require,
    command_line,
    going_on,
    opened_if_asked,
    parse_gates,
    sentences,
)
from eval.commands.knowledge_options import NO_ENCODER, BaseFolder, open_base


@sentences
@asks_model(parallel=1)
def discharge(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="Folder of the result; one that was begun goes on.")],
    encounters: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            help="Encounters: a folder of JSON files, one of them, or JSON lines (.gz too) of "
            "encounters or free texts; default: the generator's.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Only the first so many; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the generator.")] = 1,
    base: BaseFolder = None,
    asked: AskedModel,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Write discharge records by the product's own chain and score what they tell.

    Without a model only the copied sections come and are scored.
    """
    from eval.clinical.discharge.generator import COUNT, generate
    from eval.clinical.discharge.known import read_known
    from eval.clinical.discharge.measure import SCORES, evaluate
    from eval.clinical.discharge.run import Drafting, draft_all

    gates = parse_gates(require, SCORES, "the discharge record")
    known = read_known(encounters, limit or None) if encounters else generate(seed=seed)
    known = known[: limit or COUNT] if encounters is None else known
    choice = asked.choice
    if choice.asked:
        choice.check()
    with (
        closing(open_base(context, base, NO_ENCODER)) as knowledge,
        opened_if_asked(context, choice) as opened,
        going_on(),
    ):
        drafting = Drafting(known, knowledge, opened, choice.parallel, asked.patience, asked.quiet)
        drafted = draft_all(out, drafting)
        result = evaluate(
            drafting,
            drafted,
            synthetic=encounters is None,
            command=command_line(),
            sources=[str(encounters) if encounters else f"eval.clinical.discharge, seed {seed}"],
        )
    finish(result, out, gates, as_json=as_json, unfinished=drafted.unfinished)
