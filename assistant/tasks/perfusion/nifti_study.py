"""A perfusion study from a 4-D NIfTI: its times from the header, a step, or a file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging import nifti
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid
from assistant.tasks.perfusion.study import (
    Floats,
    Study,
    check_axial,
    check_size,
    check_values,
    checked_times,
    reduced,
    reduced_grid,
    reduction_of,
)

_LARGEST_FILE_OF_TIMES = 1_000_000
_AIR = -300


def read(
    path: Path,
    times: Floats | None = None,
    step: float | None = None,
    modality: str = "",
    echo_time: float = 0.0,
) -> Study:
    """The study of a file.  ``times`` in seconds, or ``step``, where the header does not say.

    Raises `ImageProblem`.
    """
    image = nifti.opened(path)
    shape = image.shape
    while len(shape) > 4 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 4:
        raise ImageProblem(
            f"图像是 {len(shape)} 维的，灌注分析需要四维（三维 × 时间）图像。",
            f"The image has {len(shape)} dimensions; perfusion needs four, the last one time.",
        )
    columns, rows, slices, count = shape
    given = times if times is not None else _header_times(image, count, step)
    if given.shape[-1] != count:
        raise ImageProblem(
            f"时间有 {given.shape[-1]} 个，图像有 {count} 个时相，请核对时间文件。",
            f"There are {given.shape[-1]} times for {count} volumes; look at the file of times.",
        )
    seconds = checked_times(given, slices)
    factor = reduction_of(rows, columns)
    check_size(count * slices * (rows // factor) * (columns // factor))
    array = np.empty((count, slices, rows // factor, columns // factor), np.float32)
    affine = nifti.affine_of(image)
    grid: Grid | None = None
    for number in range(count):
        frame, grid = nifti.place(_frame(image, number, len(image.shape)), affine)
        array[number] = reduced(frame, factor)
    assert grid is not None
    check_axial(grid)
    check_values(array)
    chosen = modality.upper() or _guessed(array)
    return Study(
        array,
        seconds,
        reduced_grid(grid, factor),
        grid,
        factor,
        chosen,
        echo_time,
        notes=() if modality else ("guessed_modality",),
    )


def read_times(path: Path) -> Floats:
    """Seconds from a text (one a line, or with commas or spaces between) or a JSON list.

    A list of lists has the times of each slice.  Raises `ImageProblem`.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE_OF_TIMES:
            raise ValueError
        text = path.read_text("utf-8-sig").strip()
        if text.startswith("["):
            found = np.asarray(json.loads(text), np.float64)
        else:
            words = [word for word in re.split(r"[\s,;]+", text) if word]
            found = np.asarray([float(word) for word in words], np.float64)
        if found.ndim not in (1, 2) or not found.size:
            raise ValueError
    except OSError:
        raise ImageProblem(
            "时间文件无法读取，请检查路径和权限。", "The file of times cannot be read."
        ) from None
    except (ValueError, TypeError):
        raise ImageProblem(
            "时间文件应为以秒为单位的数字，每行一个，或 JSON 数组。",
            "The file of times must have numbers of seconds, one a line, or be a JSON list.",
        ) from None
    return found


def _frame(image: Any, number: int, dimensions: int) -> NDArray[Any]:
    try:
        index = (slice(None),) * 3 + (number,) + (0,) * (dimensions - 4)
        found = np.asarray(image.dataobj[index])
    except Exception:
        raise ImageProblem(
            "NIfTI 文件损坏或不完整，请重新导出。", "The NIfTI file is broken; export it again."
        ) from None
    if found.dtype.kind not in "iufb":
        raise ImageProblem("图像不是灰度图像。", "The image is not grey.")
    return found


def _header_times(image: Any, count: int, step: float | None) -> Floats:
    if step is None:
        step = nifti.step_of(image)
    if not np.isfinite(step) or step <= 0:
        raise ImageProblem(
            "NIfTI 头里没有时间间隔，请用 --tr 秒数 或 --times 文件 给出。",
            "The header has no time step; give --tr SECONDS or --times FILE.",
        )
    found: Floats = np.arange(count, dtype=np.float64) * step
    return found


def _guessed(array: NDArray[np.float32]) -> str:
    """MR where the signal falls when the contrast agent comes, else CT."""
    if float(array[0].min()) < _AIR:
        return "CT"
    early = array[:3].mean(axis=0)
    rise, fall = array.max(axis=0) - early, early - array.min(axis=0)
    strong = np.maximum(rise, fall) >= np.percentile(np.maximum(rise, fall), 98)
    bright = bool(np.median(early[strong]) > 0)
    return "MR" if bright and np.median(fall[strong]) > 1.5 * np.median(rise[strong]) else "CT"
