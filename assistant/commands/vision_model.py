"""``bedside model`` for image models: registered, and shown for what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from assistant.commands.progress import console, progress
from assistant.settings import Settings

if TYPE_CHECKING:
    from serving.vision.folder import Opened
    from serving.vision.store import VisionStore


_NEXT = {
    "segmentation": "bedside segment IMAGE --model {} --out mask.nii.gz",
    "classification": "bedside classify IMAGE --model {}",
    "detection": "bedside detect IMAGE --model {}",
}


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
    console.print(
        f"已登记 added {name}: {len(opened.description.classes)} 个类别 classes\n"
        f"下一步 next: {_NEXT[opened.description.task].format(name)}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def quantise(
    model: Annotated[
        str, typer.Argument(help="A name of `bedside model list`, or a model's folder.")
    ],
    images: Annotated[
        list[Path],
        typer.Option(
            exists=True,
            help="Images as the model is for: DICOM series, NIfTI, NRRD, PNG; or a folder of such.",
        ),
    ],
    modality: Annotated[
        str, typer.Option(help="Of NIfTI and NRRD, which do not say: CT or MR.")
    ] = "",
    max_loss: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Of Dice or AP; default: that of vision.yaml (0.005)."),
    ] = None,
) -> None:
    """INT8 of an image model by NNCF, on images of your own; nothing of them is kept.

    以自己的图像校准，生成 INT8 模型（int8.xml）；Dice（检出为 AP）损失超过上限则不写入。
    """
    from assistant.training.segmentation.own_images import scaled_images, slices_of_images
    from serving.vision import quantising, quantising_boxes
    from serving.vision.folder import open_folder
    from serving.vision.problem import VisionProblem

    held = store()
    named = held.holds(model)
    opened = held.open(model) if named else open_folder(Path(model))
    said = opened.description
    if said.task == "classification":
        raise VisionProblem(
            "目前只有分割和检出模型可以量化。",
            "Only models for segmentation and detection are quantised so far.",
        )
    allowed = said.max_loss if max_loss is None else max_loss
    measure = "Dice" if said.task == "segmentation" else "AP"
    with progress() as report:
        if said.task == "segmentation":
            arrays = scaled_images(images, modality, said)
            found = quantising.quantise(opened, arrays, allowed, report)
        else:
            slices = slices_of_images(images, modality, said)
            found = quantising_boxes.quantise(opened, slices, allowed, report)
    if not found.kept:
        console.print(f"INT8 损失 {measure} loses {found.loss:.4f} > {allowed}：未写入 not written")
        raise typer.Exit(1)
    if named:
        held.renew(model)
    console.print(
        f"已写入 written: int8.xml；{found.images} 个图像 images，{measure} 损失 loss "
        f"{found.loss:.4f}\n首次使用时按本机实测选择精度。Precision is measured at first use.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def calibrate(
    model: Annotated[
        str, typer.Argument(help="A classifier: a name of `bedside model list`, or its folder.")
    ],
    images: Annotated[
        Path,
        typer.Option(help="A folder with one folder for each class, named as the class is."),
    ],
    modality: Annotated[str, typer.Option(help="Of files that do not say: CT, MR, DX.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One object on standard output.")] = False,
) -> None:
    """Make a classifier as sure as it is right, on labelled images that it has not learnt from.

    温度校准：写入 vision.yaml；报告校准前后的期望校准误差（ECE）。
    """
    from dataclasses import asdict

    from assistant.training.classification.calibrating import calibrated

    with progress() as report:
        found = calibrated(model, images, Settings().home, modality, report)
    kept = found.after < found.before
    if as_json:
        print(json.dumps({**asdict(found), "written": kept}, indent=1))
        return
    console.print(
        f"{found.images} 张图像 images，准确率 accuracy {found.accuracy:.3f}\n"
        f"ECE {found.before:.4f} → {found.after:.4f}（交叉 on the other half）\n"
        + (
            f"已写入 written: temperature {found.temperature}"
            if kept
            else "误差没有变小，未写入 no smaller error: not written"
        ),
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
        "int8": opened.eight_bits is not None,
        "sha256": opened.digest,
        "classes": [one.model_dump(mode="json") for one in said.classes],
    }
