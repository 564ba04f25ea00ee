"""Which image belongs to which mask, by their names.

Either ``images/`` and ``masks/`` (or ``labels/``; nnU-Net's ``imagesTr/`` and ``labelsTr/`` too)
hold files of the same names, or one folder holds ``NAME`` beside ``NAME_mask`` (or ``_seg``,
``_label``).  nnU-Net's number of the channel, ``_0000``, is no part of a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.imaging.problem import ImageProblem
from assistant.imaging.source import FILE_ENDINGS

_FOLDERS = (("images", "masks"), ("images", "labels"), ("imagesTr", "labelsTr"))
_MASKS = ("_mask", "_masks", "_seg", "_segmentation", "_label", "_labels")
_CHANNEL = "_0000"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """One case: its ``name``, its image, and the mask drawn on it."""

    name: str
    image: Path
    mask: Path


def find(folder: Path) -> list[Pair]:
    """The pairs of ``folder``, by name.

    Raises:
        ImageProblem: there are none, a file has no counterpart, or two have one name.
    """
    if not folder.is_dir():
        raise ImageProblem("没有这个文件夹。", "There is no such folder.")
    for first, second in _FOLDERS:
        if (folder / first).is_dir() and (folder / second).is_dir():
            masks = _named(_files(folder / second), _MASKS)
            return _joined(_named(_files(folder / first), ()), masks)
    drawn = [path for path in _files(folder) if _stem(path).endswith(_MASKS)]
    rest = [path for path in _files(folder) if path not in set(drawn)]
    return _joined(_named(rest, ()), _named(drawn, _MASKS))


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.lower().endswith(FILE_ENDINGS) and not path.name.startswith(".")
    )


def _stem(path: Path) -> str:
    name = path.name
    ending = next(one for one in FILE_ENDINGS if name.lower().endswith(one))
    return name[: -len(ending)]


def _named(paths: Iterable[Path], endings: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        name = _stem(path).removesuffix(_CHANNEL)
        ending = next((one for one in endings if name.endswith(one)), "")
        name = name.removesuffix(ending)
        if name in found:
            raise ImageProblem(
                f"有两个文件同属病例 {name[:60]}，请只保留一个。",
                f"Two files are of the case {name[:60]}; keep one.",
            )
        found[name] = path
    return found


def _joined(images: dict[str, Path], masks: dict[str, Path]) -> list[Pair]:
    if not images and not masks:
        raise ImageProblem(
            f"文件夹里没有图像（{'、'.join(FILE_ENDINGS)}）；请放入 images/ 与 masks/，"
            "或 NAME 与 NAME_mask。",
            "There are no images in the folder; put images/ and masks/ there, or NAME and "
            "NAME_mask side by side.",
        )
    without = sorted(images.keys() - masks.keys())
    alone = sorted(masks.keys() - images.keys())
    if without:
        shown = "、".join(without[:_SHOWN])
        raise ImageProblem(
            f"{len(without)} 个图像没有掩膜：{shown}。",
            "These images have no mask of the same name; draw it, or take the image away.",
        )
    if alone:
        shown = "、".join(alone[:_SHOWN])
        raise ImageProblem(
            f"{len(alone)} 个掩膜没有图像：{shown}。",
            "These masks have no image of the same name; add it, or take the mask away.",
        )
    return [Pair(name, images[name], masks[name]) for name in sorted(images)]
