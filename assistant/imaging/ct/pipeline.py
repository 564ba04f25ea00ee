"""The steps from an image to masks by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from assistant.imaging.ct.airways import airways
from assistant.imaging.ct.body import coarse_body, fine_body
from assistant.imaging.ct.bone import fine_bone
from assistant.imaging.ct.coarse import Box, Coarse
from assistant.imaging.ct.hounsfield import HU, hounsfield
from assistant.imaging.ct.lungs import Lungs, coarse_lungs, midline
from assistant.imaging.ct.orientation import Orientation
from assistant.imaging.ct.refining import fine_lungs
from assistant.imaging.ct.structure import read
from assistant.imaging.ct.vessels import lung_vessels
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Mask, Volume, checked

Report = Callable[[int, int, str], None]

_OF_LUNGS = ("lung_left", "lung_right", "vessels", "airways", "trachea")
_ABOVE = 60.0
"""Millimetres above the lungs in which the trachea is looked for."""
_STEP = "分割 segmentation"


def segment(volume: Volume, names: Sequence[str] | None, progress: Report) -> dict[str, Mask]:
    """See `assistant.imaging.ct.segment_ct`."""
    known = read()
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise ImageProblem(
            f"没有这个结构：{unknown[0][:40]}；可选：{'、'.join(known)}。",
            "There is no such structure; choose one of those.",
        )
    checked(volume.array, volume.grid)
    wanted = [name for name in known if names is None or name in names]
    found = available(volume, wanted, progress)
    missing = [name for name in names or () if name not in found]
    if missing:
        raise _missing(known[missing[0]].zh, known[missing[0]].en)
    if not found:
        raise _missing("人体", "body")
    return found


def _missing(zh: str, en: str) -> ImageProblem:
    zh, en = ("肺", "lungs") if en.lower().endswith("lung") else (zh, en.lower())
    return ImageProblem(
        f"图像里没有{zh}，请确认是包含该部位的 CT，或选择其他结构。",
        f"There is no {en} in this image; is it a CT of that part?"
        if en != "lungs"
        else "There are no lungs in this image; is it a CT of the chest?",
    )


def available(volume: Volume, wanted: Sequence[str], progress: Report) -> dict[str, Mask]:
    """Those of ``wanted`` that the image has.  Raises `ImageProblem` for what is no CT."""
    turn = Orientation.of(volume.grid)
    hu = turn.turned(hounsfield(volume))
    hu = np.ascontiguousarray(hu)
    spacing = turn.spacing(volume.grid)
    progress(1, 6, _STEP)
    coarse = Coarse.of(hu, spacing)
    body = coarse_body(coarse)
    progress(2, 6, _STEP)
    found: dict[str, Mask] = {}
    if "body" in wanted or "bone" in wanted:
        skin = fine_body(hu, coarse, body)
        found["body"] = skin
        if "bone" in wanted:
            found["bone"] = fine_bone(hu, coarse, skin, spacing)
    progress(3, 6, _STEP)
    if any(name in wanted for name in _OF_LUNGS):
        lungs = coarse_lungs(coarse, body)
        progress(4, 6, _STEP)
        if lungs is not None:
            found |= _of_lungs(hu, coarse, body, lungs, wanted, spacing)
    progress(6, 6, _STEP)
    return {name: turn.back(found[name]) for name in wanted if name in found and found[name].any()}


def _of_lungs(
    hu: HU,
    coarse: Coarse,
    body: Mask,
    lungs: Lungs,
    wanted: Sequence[str],
    spacing: tuple[float, float, float],
) -> dict[str, Mask]:
    box = _box(coarse, lungs)
    part = np.ascontiguousarray(hu[box])
    column = midline(coarse, body) * coarse.factors[2] - box[2].start
    tree = airways(part, coarse.fine(_cavity(coarse, body), box), spacing, column)
    fine = fine_lungs(part, coarse, lungs, tree.tree, box)
    found = {"lung_left": fine.left, "lung_right": fine.right}
    found |= {"airways": tree.tree, "trachea": tree.trachea}
    if "vessels" in wanted:
        found["vessels"] = lung_vessels(part, fine.left | fine.right, spacing)
    return {name: _whole(mask, box, hu.shape) for name, mask in found.items() if name in wanted}


def _cavity(coarse: Coarse, body: Mask) -> Mask:
    """Where airways may be: the body, eroded by its skin."""
    return np.asarray(coarse.distance(body) > 5)


def _box(coarse: Coarse, lungs: Lungs) -> Box:
    z, y, x = coarse.box(lungs.both, 12.0)
    above = round(_ABOVE / coarse.spacing[0]) * coarse.factors[0]
    return slice(z.start, min(z.stop + above, coarse.shape[0])), y, x


def _whole(mask: Mask, box: Box, shape: tuple[int, ...]) -> Mask:
    whole = np.zeros(shape, bool)
    whole[box] = mask
    return whole
