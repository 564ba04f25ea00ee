"""A folder of labelled images: one folder for each class, named as the model names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.imaging import channels
from assistant.imaging.channels import PICTURES, Channels
from assistant.imaging.problem import ImageProblem
from assistant.tasks.classification.classifying import ImageClassifier
from serving.vision.classifier import Floats

_FILES = (*PICTURES, ".nii", ".nii.gz", ".nrrd", ".dcm", ".zip")


def listed(folder: Path, classes: tuple[str, ...]) -> list[tuple[Path, int]]:
    """Each image with the number of its class; a folder within a class's is a series.

    Raises `ImageProblem` where a folder is of no class.
    """
    if not folder.is_dir():
        raise ImageProblem("没有这个文件夹。", "There is no such folder.")
    found: list[tuple[Path, int]] = []
    for one in sorted(path for path in folder.iterdir() if path.is_dir()):
        if one.name not in classes:
            raise ImageProblem(
                f"文件夹 {one.name[:40]} 不是模型的类别，应为：{'、'.join(classes)[:300]}。",
                f"Folders are named by the model's classes; {one.name[:40]} is none.",
            )
        number = classes.index(one.name)
        found += [(path, number) for path in sorted(one.iterdir()) if _is_image(path)]
    if not found:
        raise ImageProblem(
            "文件夹里没有图像，请按类别名建子文件夹并放入图像。",
            "There are no images; make a folder for each class and put its images there.",
        )
    return found


def _is_image(path: Path) -> bool:
    return path.is_dir() or path.name.lower().endswith(_FILES)


def scored(
    model: ImageClassifier,
    listing: list[tuple[Path, int]],
    modality: str,
    report: Callable[[int, int, str], None],
) -> tuple[Floats, NDArray[np.int64]]:
    """[image, class] logits and the true class of each; images are read one by one.

    Raises `ImageProblem` with the number of the image that cannot be used.
    """

    def images() -> Iterator[Channels]:
        for done, (path, _) in enumerate(listing, start=1):
            try:
                yield channels.read(path, modality)
            except ImageProblem as problem:
                raise ImageProblem(
                    f"第 {done} 个图像：{problem.zh}", f"Image {done}: {problem.en}"
                ) from None
            report(done, len(listing), "图像 images")

    rows = [model.scores([one])[0] for one in images()]
    return np.array(rows), np.array([number for _, number in listing], np.int64)
