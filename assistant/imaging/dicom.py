"""DICOM files in memory: read without trusting them, and what tags are asked for often."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem

if TYPE_CHECKING:
    from pydicom import Dataset

DIRECTORY = "1.2.840.10008.1.3.10"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"

_PREAMBLE = 132


def is_dicom(data: bytes) -> bool:
    """Whether it says so itself."""
    return data[_PREAMBLE - 4 : _PREAMBLE] == b"DICM"


def read(data: bytes) -> Dataset:
    """A file as a dataset.  Raises `ImageProblem` for a broken one."""
    from pydicom import dcmread

    be_discreet()
    try:
        return dcmread(BytesIO(data))
    except Exception:
        # Broken files make it raise almost anything.
        raise ImageProblem(
            "DICOM 文件损坏或不完整，请重新导出。", "A DICOM file is broken; export it again."
        ) from None


def be_discreet() -> None:
    """Keep the library from writing values of a header, which may be a patient's, into log and
    warnings; values that the standard does not allow are read as they are."""
    from pydicom import config

    logging.getLogger("pydicom").disabled = True
    config.settings.reading_validation_mode = config.IGNORE
    warnings.filterwarnings("ignore", module=r"pydicom\b")


def datasets(contents: Iterable[bytes]) -> Iterator[Dataset]:
    """The DICOM files among ``contents``; directories and other files are passed over."""
    for data in contents:
        if is_dicom(data):
            found = read(data)
            if sop_class(found) != DIRECTORY:
                yield found


def sop_class(dataset: Dataset) -> str:
    """The UID of what kind of object it is."""
    meta = getattr(dataset, "file_meta", None)
    return text(dataset, "SOPClassUID") or str(getattr(meta, "MediaStorageSOPClassUID", ""))


def text(dataset: Dataset, tag: str) -> str:
    """A value as text, empty where there is none."""
    value = dataset.get(tag)
    return "" if value is None else str(value).strip()


def numbers(dataset: Dataset, tag: str, count: int) -> NDArray[np.float64]:
    """``count`` numbers of a tag.  Raises `ImageProblem` where they are not there."""
    value = dataset.get(tag)
    try:
        found = np.atleast_1d(np.asarray([float(v) for v in _listed(value)]))
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (count,) or not np.isfinite(found).all():
        raise ImageProblem(
            f"DICOM 标签 {tag} 缺失或无效，请导出完整的原始图像。",
            f"The DICOM tag {tag} is missing or not valid; export the original images.",
        )
    return found


def _listed(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return [value] if isinstance(value, int | float | str) else list(value)


def pixels(dataset: Dataset) -> NDArray[Any]:
    """The decoded pixels.  Raises `ImageProblem`."""
    from pydicom.uid import UID

    try:
        array: NDArray[Any] = dataset.pixel_array
    except Exception:
        syntax = UID(text(dataset.file_meta, "TransferSyntaxUID"))
        if syntax.is_private or syntax.is_compressed:
            name = "" if syntax.is_private else str(syntax.name)
            raise ImageProblem(
                f"无法解码压缩传输语法 {name}，请先转为未压缩（Explicit VR Little Endian）再导入。",
                "The compressed transfer syntax cannot be decoded; convert the files to Explicit "
                "VR Little Endian first.",
            ) from None
        raise ImageProblem(
            "DICOM 像素数据不完整或与头信息不符，请重新导出。",
            "The pixel data are truncated or not what the header says; export again.",
        ) from None
    return array
