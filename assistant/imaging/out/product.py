"""A result as files: whatever forms are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Literal

from assistant.imaging.out.source import Source
from assistant.imaging.out.structure import Labels, Result, Structure, checked
from assistant.imaging.problem import ImageProblem

if TYPE_CHECKING:
    from pydicom import Dataset

Form = Literal["seg", "rtstruct", "sr", "sc", "nifti", "png", "json", "text"]
FORMS: tuple[Form, ...] = Form.__args__  # type: ignore[attr-defined]
DICOM_FORMS = ("seg", "rtstruct", "sr", "sc")
OUTLINED = ("seg", "rtstruct", "nifti")
"""Forms that need a label map."""


@dataclass(frozen=True, slots=True)
class Product:
    """A file of a result.  ``dataset`` is there where it is DICOM."""

    form: Form
    name: str
    data: bytes
    dataset: Dataset | None = None


def products(result: Result, forms: Sequence[Form]) -> list[Product]:
    """The result in these forms, in the order of `FORMS`.

    Raises `ImageProblem` where a form needs what the result does not have.
    """
    made: list[Product] = []
    segmentation = None
    if "seg" in forms or ("sr" in forms and result.labels is not None):
        segmentation = _segmentation(result)
    for form in FORMS:
        if form not in forms and not (form == "seg" and segmentation is not None):
            continue
        if form == "seg":
            # A report refers to the segments, which would hang in the air without their object.
            assert segmentation is not None
            made.append(_dicom(form, "segmentation.dcm", segmentation))
        elif form == "rtstruct":
            made.append(_dicom(form, "rtstruct.dcm", _structure_set(result)))
        elif form == "sr":
            made.append(_dicom(form, "report.dcm", _report(result, segmentation)))
        elif form == "sc":
            made += _captures(result)
        elif form == "nifti":
            made += _nifti(result)
        elif form == "png":
            made += _pictures(result)
        elif form == "json":
            made.append(Product(form, "result.json", _listed(result)))
        else:
            made.append(Product(form, "report.txt", result.text.encode()))
    return made


def written(dataset: Dataset) -> bytes:
    """A dataset as a DICOM file."""
    from pydicom import dcmwrite

    target = BytesIO()
    dcmwrite(target, dataset, enforce_file_format=True)
    return target.getvalue()


def _dicom(form: Form, name: str, dataset: Dataset) -> Product:
    return Product(form, name, written(dataset), dataset)


def _outlined(result: Result) -> Labels:
    if result.labels is None:
        raise ImageProblem(
            "该结果没有勾画任何区域，不能存为 SEG、RTSTRUCT 或 NIfTI，请改用 SR、SC 或 PNG。",
            "Nothing is outlined in this result; write SR, SC or PNG.",
        )
    return result.labels


def _segmentation(result: Result) -> Dataset:
    from assistant.imaging.out.seg import segmentation

    labels, source = _outlined(result), _placed(result)
    checked(labels, result.structures, result.volume)
    with _whole_header():
        return segmentation(
            result.volume, source, labels, result.structures, result.title, result.seed
        )


def _structure_set(result: Result) -> Dataset:
    from assistant.imaging.out.rtstruct import structure_set

    return structure_set(
        result.volume,
        _placed(result),
        _outlined(result),
        result.structures,
        result.title,
        result.seed,
    )


def _report(result: Result, segmentation: Dataset | None) -> Dataset:
    from assistant.imaging.out.report import measurement_report

    source = _source(result)
    with _whole_header():
        return measurement_report(
            source,
            result.structures,
            result.measurements,
            result.title,
            segmentation,
            result.seed,
        )


def _captures(result: Result) -> list[Product]:
    from assistant.imaging.out.capture import capture
    from assistant.imaging.out.montage import montage, noticed, opened

    pictures = [noticed(opened(one)) for one in result.pictures]
    pictures = pictures or [montage(result.volume, result.labels, result.structures)]
    return [
        _dicom(
            "sc",
            f"picture-{number}.dcm",
            capture(_source(result), one, result.title, result.seed, number),
        )
        for number, one in enumerate(pictures, start=1)
    ]


def _pictures(result: Result) -> list[Product]:
    from assistant.imaging.out.montage import montage, noticed, opened, png

    made = [
        Product("png", f"picture-{number}.png", png(noticed(opened(one))))
        for number, one in enumerate(result.pictures, start=1)
    ]
    shown = png(montage(result.volume, result.labels, result.structures))
    return [*made, Product("png", "montage.png", shown)]


def _nifti(result: Result) -> list[Product]:
    from assistant.imaging.out.nifti import label_map, legend

    labels = _outlined(result)
    return [
        Product("nifti", "labels.nii.gz", label_map(labels, result.volume.grid)),
        Product("nifti", "labels.json", legend(result.structures)),
    ]


def _listed(result: Result) -> bytes:
    names: dict[int, Structure] = {one.number: one for one in result.structures}
    values = [
        {
            "structure": names[one.number].name if one.number in names else "",
            "code": one.name.value,
            "scheme": one.name.scheme,
            "name": one.name.meaning,
            "value": one.value,
            "unit": one.unit.value,
            "method": one.method.value if one.method else "",
        }
        for one in result.measurements
    ]
    body = {"notice": "科研用途 Research only", "title": result.title, "measurements": values}
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def _source(result: Result) -> Source:
    if result.source is None:
        raise ImageProblem(
            "只有 DICOM 序列才能生成 DICOM 结果，请提供原始 DICOM 序列，或改存 NIfTI、PNG。",
            "DICOM results need the DICOM series that the image is from; give it, or write NIfTI.",
        )
    return result.source


def _placed(result: Result) -> Source:
    source = _source(result)
    if not result.volume.frame_of_reference:
        raise ImageProblem(
            "源序列没有参考坐标系（FrameOfReferenceUID），不能生成 SEG 或 RTSTRUCT，请改存 NIfTI。",
            "The series has no frame of reference, so there is no SEG or RTSTRUCT; write NIfTI.",
        )
    return source


@contextmanager
def _whole_header() -> Iterator[None]:
    """What the library finds wrong with a header of the source, said without its values."""
    try:
        yield
    except ImageProblem:
        raise
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ImageProblem(
            "源序列的头信息不完整或不合标准，不能生成该 DICOM 对象，请重新导出或改存 NIfTI。",
            f"The headers of the series do not allow it ({type(error).__name__}); export them "
            "again, or write NIfTI.",
        ) from None
