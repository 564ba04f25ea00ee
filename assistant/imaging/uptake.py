"""PET: from activity to the standardised uptake value by body weight.

SUV = activity (Bq/ml) × weight (g) / dose at the start of the scan (Bq), as the QIBA profile for
FDG-PET has it; the dose is brought to that time by the half-life unless the images are already
corrected to the time of injection.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from assistant.imaging import dicom
from assistant.imaging.problem import ImageProblem

if TYPE_CHECKING:
    from pydicom import Dataset

_PHILIPS_SUV = (0x7053, 0x1000)


def suv_factor(slices: Sequence[Dataset]) -> float:
    """What the rescaled intensities are multiplied with.  Raises `ImageProblem`."""
    first = slices[0]
    unit = dicom.text(first, "Units").upper()
    if unit == "GML":
        return 1.0
    if unit == "CNTS" and _PHILIPS_SUV in first:
        return float(first[_PHILIPS_SUV].value)
    if unit != "BQML":
        raise ImageProblem(
            f"PET 单位 {unit[:8] or '缺失'} 无法换算为 SUV，请导出以 Bq/ml 为单位的图像。",
            "The PET unit cannot be turned into SUV; export the images in Bq/ml.",
        )
    corrected = dicom.text(first, "CorrectedImage")
    if "ATTN" not in corrected or "DECY" not in corrected:
        raise ImageProblem(
            "PET 图像未做衰减或衰变校正，无法计算 SUV。",
            "The PET images are not corrected for attenuation or decay; there is no SUV.",
        )
    weight = dicom.numbers(first, "PatientWeight", 1)[0] * 1000
    given = first.get("RadiopharmaceuticalInformationSequence")
    if not given or weight <= 0:
        raise _missing()
    tracer = given[0]
    dose = dicom.numbers(tracer, "RadionuclideTotalDose", 1)[0]
    half_life = dicom.numbers(tracer, "RadionuclideHalfLife", 1)[0]
    if dose <= 0 or half_life <= 0:
        raise _missing()
    decay = dicom.text(first, "DecayCorrection").upper()
    if decay == "ADMIN":
        waited = 0.0
    elif decay == "START":
        waited = _seconds(slices, tracer)
    else:
        raise ImageProblem(
            "PET 衰变校正方式不明，无法计算 SUV。", "The decay correction is not known; no SUV."
        )
    return float(weight / (dose * 2 ** (-waited / half_life)))


def _seconds(slices: Sequence[Dataset], tracer: Dataset) -> float:
    """From the injection to the start of the scan.

    The series' time, unless it is later than an acquisition, as after a reconstruction.
    """
    date = dicom.text(slices[0], "SeriesDate") or dicom.text(slices[0], "AcquisitionDate")
    starts = [_moment(date, dicom.text(slices[0], "SeriesTime"))]
    starts += [
        _moment(dicom.text(one, "AcquisitionDate") or date, dicom.text(one, "AcquisitionTime"))
        for one in slices
    ]
    known = [start for start in starts if start is not None]
    whole = dicom.text(tracer, "RadiopharmaceuticalStartDateTime")
    injected = (
        _moment(whole[:8], whole[8:])
        if whole
        else _moment(date, dicom.text(tracer, "RadiopharmaceuticalStartTime"))
    )
    if not known or injected is None:
        raise _missing()
    waited = (min(known) - injected).total_seconds()
    if waited < 0 and not whole:
        # Only the time of day is kept, and midnight lay between.
        waited += timedelta(days=1).total_seconds()
    if not 0 <= waited < timedelta(days=1).total_seconds():
        raise _missing()
    return waited


def _moment(date: str, time: str) -> datetime | None:
    try:
        return datetime.strptime(f"{date[:8]} {time[:6]}", "%Y%m%d %H%M%S")
    except ValueError:
        return None


def _missing() -> ImageProblem:
    return ImageProblem(
        "PET 缺少体重、注射剂量、半衰期或时间，无法计算 SUV，请补全后导出。",
        "Weight, dose, half-life or times are missing, so there is no SUV; export them too.",
    )
