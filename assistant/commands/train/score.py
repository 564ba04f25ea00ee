"""``bedside train score``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from assistant.commands.train.options import Set, annotated_as, sets

if TYPE_CHECKING:
    from assistant.training.scoring import Scores

Compute = Literal["auto", "f32", "bf16"]


def score(
    model: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="A folder made by export.")
    ],
    test: Set,
    report: Annotated[
        Path | None, typer.Option(help="Folder for report.md, report.json, confusion.svg.")
    ] = None,
    compute: Annotated[Compute, typer.Option(help="Numbers that are not INT8.")] = "auto",
    above: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.999,
            help="The least score that counts; default: what was best on the dev set.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Score an exported model: strict precision, recall, F1 by type. No PyTorch.

    在标注数据上评测已导出的模型（严格匹配）。
    """
    import json

    from assistant.tasks.structuring.relation_model import is_relation_model
    from assistant.training import report as paper

    if is_relation_model(model):
        title, (facts, groups) = paper.RELATIONS, _relations(model, test, compute, above)
    else:
        title, (facts, groups) = paper.ENTITIES, _entities(model, test, compute, above)
    for name, scores in groups.items():
        if report is not None:
            folder = report / name if name else report
            paper.write(folder, scores, {**facts, "compute": compute}, title=title)
        if not as_json:
            print("\n".join(paper.rows(scores)))
    if as_json:
        records = {name: paper.as_record(scores) for name, scores in groups.items()}
        print(json.dumps(records.get("", records), ensure_ascii=False, indent=1))


def _entities(
    model: Path, test: Iterable[str], compute: Compute, above: float | None
) -> tuple[dict[str, object], dict[str, Scores]]:
    from assistant.tasks.structuring.recognizer import ModelRecognizer
    from assistant.training.scoring import score as count

    recognizer = ModelRecognizer.open(model, compute, above=above)
    return {"model": recognizer.name, "above": recognizer.above}, {
        name: count(annotated_as(examples, recognizer.labels, name), recognizer.labelled)
        for name, examples in sets(test).items()
    }


def _relations(
    model: Path, test: Iterable[str], compute: Compute, above: float | None
) -> tuple[dict[str, object], dict[str, Scores]]:
    from assistant.tasks.structuring.relation_model import ModelRelationReader
    from assistant.training import relation_data

    reader = ModelRelationReader.open(model, compute, above=above)
    examples = [one for path in test for one in relation_data.read(Path(path))]
    facts = {"model": reader.name, "above": reader.above}
    return facts, {"": relation_data.score(examples, reader.read)}
