"""PET in SUV by body weight."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from imaging_samples import intensities, series
from pydicom.dataset import Dataset

from assistant.imaging.problem import ImageProblem
from assistant.imaging.series import assemble


def pet(**changes: Any) -> list[Dataset]:
    """A series in Bq/ml an hour after 370 MBq of F-18 into 70 kg."""
    tracer = Dataset()
    tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = 370e6, 6586.2
    tracer.RadiopharmaceuticalStartTime = "090000"
    tags: dict[str, Any] = {
        "Modality": "PT",
        "Units": "BQML",
        "CorrectedImage": ["ATTN", "DECY", "SCAT"],
        "DecayCorrection": "START",
        "PatientWeight": 70,
        "SeriesDate": "20240305",
        "SeriesTime": "100000",
        "RadiopharmaceuticalInformationSequence": [tracer],
    }
    return series(**(tags | changes))


def test_the_dose_is_brought_to_the_start_of_the_scan() -> None:
    volume = assemble(pet())
    expected = 70_000 / (370e6 * 2 ** (-3600 / 6586.2))
    assert volume.unit == "SUV"
    assert np.allclose(volume.array, intensities() * expected)


def test_images_corrected_to_the_injection_need_no_time() -> None:
    volume = assemble(pet(DecayCorrection="ADMIN", SeriesTime=""))
    assert np.allclose(volume.array, intensities() * (70_000 / 370e6))


def test_images_in_suv_stay_as_they_are() -> None:
    assert np.allclose(assemble(pet(Units="GML")).array, intensities())


def test_a_series_time_after_a_reconstruction_is_not_taken() -> None:
    late = assemble(pet(SeriesTime="150000", AcquisitionDate="20240305", AcquisitionTime="100000"))
    assert np.allclose(late.array, assemble(pet()).array)


@pytest.mark.parametrize(
    "changes",
    [
        {"PatientWeight": None},
        {"Units": "CNTS"},
        {"CorrectedImage": ["DECY"]},
        {"DecayCorrection": "NONE"},
        {"SeriesTime": ""},
        {"RadiopharmaceuticalInformationSequence": []},
    ],
)
def test_what_is_missing_for_suv_is_said(changes: dict[str, Any]) -> None:
    with pytest.raises(ImageProblem, match=r"SUV|PatientWeight"):
        assemble(pet(**changes))
