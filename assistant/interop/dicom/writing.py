"""One region of one series, written in one form: what ``bedside dicom write`` does."""

from __future__ import annotations

from pathlib import Path

from assistant.imaging import archive, dicom, series, web
from assistant.imaging.out.product import FORMS, Form, products
from assistant.imaging.out.source import source_of
from assistant.imaging.out.structure import Result, region, volumes
from assistant.imaging.problem import ImageProblem
from assistant.imaging.source import read_region
from assistant.whole_file import whole


def write_region(image: Path, mask: Path, roi: str, form: str, out: Path) -> None:
    """Write it to ``out``.  Raises `ImageProblem`."""
    chosen = _form(form)
    if web.is_address(image):
        datasets = web.images(image)
    elif image.exists():
        datasets = list(dicom.datasets(archive.files(image)))
    else:
        raise ImageProblem("没有这个文件或文件夹。", "There is no such file or folder.")
    volume = series.assemble(datasets)
    found = read_region(mask, volume, roi)
    labels, structures = region(found.mask, found.name)
    result = Result(
        volume,
        found.name,
        source_of(datasets, volume),
        labels,
        structures,
        volumes(labels, structures, volume),
    )
    made = next(one for one in products(result, [chosen]) if one.form == chosen)
    try:
        with whole(out) as partial:
            partial.write_bytes(made.data)
    except OSError as error:
        raise ImageProblem(
            f"无法写入输出文件（{error.strerror or '?'}），请检查路径和权限。",
            "The file cannot be written; check path and permissions.",
        ) from None


def _form(name: str) -> Form:
    for form in FORMS:
        if form == name and form not in ("json", "text"):
            return form
    raise ImageProblem(
        "--as 可选：seg、rtstruct、sr、sc、nifti、png。",
        "Give --as one of seg, rtstruct, sr, sc, nifti, png.",
    )
