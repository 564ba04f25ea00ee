"""``bedside model`` for image models: registered, and shown for what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from assistant.commands.progress import console
from assistant.settings import Settings

if TYPE_CHECKING:
    from serving.vision.folder import Opened
    from serving.vision.store import VisionStore


def store() -> VisionStore:
    """The image models of this installation."""
    from serving.vision.store import VisionStore

    return VisionStore(Settings().home)


def add(
    name: Annotated[str, typer.Argument(help="How the model is to be called.")],
    folder: Annotated[
        Path,
        typer.Option(help="OpenVINO IR, ONNX or TF.js (model.json), and vision.yaml beside it."),
    ],
) -> None:
    """Register an image model of your own, after checking that its vision.yaml fits it.

    登记影像模型：检查 vision.yaml 与模型是否相符，复制并记录哈希。
    """
    from assistant.imaging.classical import CLASSICAL
    from serving.vision.problem import VisionProblem

    if name == CLASSICAL:
        # The built-in one would be taken, and this one never.
        raise VisionProblem(
            f"{CLASSICAL} 是内置方法的名称，请换一个名称。",
            "The name is taken by what is built in.",
        )
    opened = store().add(name, folder)
    classes = len(opened.description.classes) - 1
    console.print(
        f"已登记 added {name}: {classes} 个结构 structures\n"
        f"下一步 next: bedside segment IMAGE --model {name} --out mask.nii.gz",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def inspect(folder: Path, as_json: bool) -> None:
    """Show what an image model is.  Raises `VisionProblem`."""
    from serving.vision.folder import open_folder

    found = _facts(open_folder(folder))
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return
    facts = Table(show_header=False, box=None)
    classes = found.pop("classes")
    for key, value in found.items():
        facts.add_row(key, str(value))
    console.print(facts)
    table = Table("label", "name", "名称", "SNOMED CT")
    for number, one in enumerate(classes):
        table.add_row(str(number), one["name"], one.get("name_zh", ""), one.get("code", ""))
    console.print(table)


def _facts(opened: Opened) -> dict[str, Any]:
    from serving.vision.chain import stages_of

    said = opened.description
    stages = stages_of(opened.model) if said.dimensions == 3 else None
    constants = (op for op in opened.model.get_ops() if op.get_type_name() == "Constant")
    reach = [sum(one.reach[axis] for one in stages) for axis in range(3)] if stages else []
    return {
        "kind": "vision",
        "origin": opened.origin,
        **said.model_dump(mode="json", exclude={"classes"}),
        "parameters": sum(int(one.data.size) for one in constants),
        "runs": "layer by layer" if stages else "in windows",
        "receptive_field": [2 * far + 1 for far in reach],
        "sha256": opened.digest,
        "classes": [one.model_dump(mode="json") for one in said.classes],
    }
