"""The route behind a study dropped on a page: what is kept, and for whom."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import httpx
import nibabel
import nrrd
import numpy as np
import pytest
from browser_visit import Server
from imaging_samples import ORIGIN, SPACING, ball, intensities, segmentation, series, written

pytestmark = pytest.mark.browser
HEADERS = {"X-Patient-Id": "pat-drop", "Content-Type": "application/octet-stream"}


def post(server: Server, body: bytes, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{server.address}/pages/studies", content=body, headers=HEADERS | headers, timeout=60
    )


def zipped(*files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, data in enumerate(files):
            archive.writestr(f"../{number}", data)
    return out.getvalue()


def test_a_zip_becomes_a_series_of_its_patient(server: Server) -> None:
    files = [written(one) for one in series()]
    answer = post(server, zipped(b"DICOMDIR?", *files))
    assert (answer.status_code, answer.json()["kept"]) == (201, len(files))
    listed = httpx.get(f"{server.address}/v1/attachments", headers={"X-Patient-Id": "pat-drop"})
    assert [one["instances"] for one in listed.json()] == [len(files)]
    other = httpx.get(f"{server.address}/v1/attachments", headers={"X-Patient-Id": "pat-other"})
    assert other.json() == []


def test_what_is_no_image_is_not_kept(server: Server) -> None:
    assert post(server, b"just words").json()["kept"] == 0
    broken = post(server, zipped(b"x" * 1000)[:-30])
    assert broken.status_code in (201, 422)
    assert broken.status_code == 422 or broken.json()["kept"] == 0
    assert post(server, b"", **{"X-Patient-Id": "../x"}).status_code == 422


def test_nobody_drops_without_being_signed_in(closed_server: Server) -> None:
    answer = post(closed_server, written(series()[0]))
    assert answer.status_code == 401


def affine(turned: bool) -> np.ndarray:
    """Of the image as NIfTI has it; ``turned``: its slices from above to below."""
    made = np.diag([-SPACING[2], -SPACING[1], SPACING[0], 1.0])
    made[:3, 3] = -ORIGIN[0], -ORIGIN[1], ORIGIN[2]
    if turned:
        made[:3, 3] += made[:3, 2] * (len(ball()) - 1)
        made[:3, 2] *= -1
    return made


def as_nifti(array: np.ndarray, turned: bool = False) -> bytes:
    array = array[::-1] if turned else array
    image = nibabel.Nifti1Image(array.transpose(2, 1, 0), affine(turned))
    made: bytes = image.to_bytes()
    return made


def as_nrrd(array: np.ndarray, folder: Path) -> bytes:
    header = {
        "space": "left-posterior-superior",
        "space directions": np.diag(SPACING[::-1]),
        "space origin": ORIGIN,
    }
    nrrd.write(str(folder / "a.nrrd"), array.transpose(2, 1, 0), header)
    return (folder / "a.nrrd").read_bytes()


def features(server: Server, patient: str, settings: object = "ibsi-c") -> dict[str, float]:
    """What the task makes of the two attachments of a patient."""
    headers = {"X-Patient-Id": patient}
    listed = httpx.get(f"{server.address}/v1/attachments", headers=headers).json()
    body = {"patient_id": patient, "attachments": listed, "settings": settings}
    answer = httpx.post(f"{server.address}/v1/radiomics", json=body, timeout=60)
    links = answer.json()["links"]
    # The stream of events ends with the work.
    httpx.get(server.address + links["events"], headers=headers, timeout=300)
    done = httpx.get(server.address + links["self"], headers=headers, timeout=60).json()
    assert done["status"] == "finished", done["message"]
    return {one["tag"]: one["value"] for one in done["features"]}


def test_nifti_and_nrrd_become_the_series_and_the_region_that_they_are(
    server: Server, tmp_path: Path
) -> None:
    """Whole numbers and fractions, slices in either order, give what the DICOM series gives."""
    mask = ball().astype(np.uint8)
    for one in [*series(), segmentation(ball())]:
        assert post(server, written(one), **{"X-Patient-Id": "as-dicom"}).json()["kept"] == 1
    wanted = features(server, "as-dicom")
    for patient, image, region in (
        ("as-nifti", as_nifti(intensities()), as_nifti(mask)),
        ("as-turned", as_nifti(intensities(), turned=True), as_nifti(mask, turned=True)),
        ("as-float", as_nifti(intensities().astype(np.float32)), as_nrrd(mask, tmp_path)),
    ):
        who = {"X-Patient-Id": patient, "X-Modality": "CT"}
        early = post(server, region, **who)
        assert early.json()["kept"] == 0
        assert "请先拖入" in early.json()["later"]
        for file in (image, region, image, region):
            # What comes twice, as after a reload of the page, is kept once.
            assert post(server, file, **who).json() == {"kept": 1, "later": ""}
        assert features(server, patient) == pytest.approx(wanted, rel=1e-9, nan_ok=True)


def test_fractions_are_kept_to_more_digits_than_a_float_has(server: Server) -> None:
    random = np.random.default_rng(1)
    values = random.gamma(2.0, 1.7, ball().shape).astype(np.float32)
    who = {"X-Patient-Id": "as-fractions", "X-Modality": "MR"}
    assert (
        post(server, zipped(as_nifti(ball().astype(np.uint8)), as_nifti(values)), **who).json()[
            "kept"
        ]
        == 2
    )
    found = features(server, "as-fractions", {"bins": {"number": 8}})
    inside = values[ball()].astype(np.float64)
    assert found["stat_mean"] == pytest.approx(inside.mean(), rel=1e-8)
    assert found["stat_max"] == pytest.approx(inside.max(), rel=1e-8)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(ball().shape, np.int16), "同一个数值"),
        (np.where(ball(), np.nan, 1.5), "NaN"),
    ],
)
def test_what_is_neither_image_nor_mask_is_a_sentence(
    server: Server, array: np.ndarray, said: str
) -> None:
    answer = post(server, as_nifti(array))
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    cut = as_nifti(intensities())[:2000]
    assert "损坏" in post(server, cut).json()["detail"]
