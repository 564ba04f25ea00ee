"""What is written is read again as the same region, by us and by others' libraries."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from imaging_samples import FRAME, SERIES, SHAPE, ball, intensities, series, written
from PIL import Image
from pydicom.dataset import Dataset

from assistant.imaging import dicom, nifti
from assistant.imaging.contour import fill
from assistant.imaging.out.outline import outlines
from assistant.imaging.out.product import FORMS, Product, products
from assistant.imaging.out.source import source_of
from assistant.imaging.out.structure import (
    NO_UNIT,
    Code,
    Measurement,
    Result,
    Structure,
    volumes,
)
from assistant.imaging.problem import ImageProblem
from assistant.imaging.series import assemble
from assistant.imaging.source import region_of

LUNG = Structure(1, "左肺", Code("39607008", "SCT", "Lung"), colour=(0, 120, 255))
NODULE = Structure(3, "结节")


def labels() -> np.ndarray:
    """The ball as two structures, the first with a hole through it; the second's label is 3."""
    made = ball().astype(np.uint8)
    made[:, 9, 12] = 0
    made[:, :9][made[:, :9] > 0] = 3
    return made


def scans(**changes: object) -> list[Dataset]:
    """The series as it is read from files of a Chinese scanner."""
    made = series(**{"PatientID": "pat-1", "PatientBirthDate": "19600102", **changes})
    for one in made:
        one.SpecificCharacterSet = "GB18030"
        one.PatientName = "张^三"
    return [dicom.read(written(one)) for one in made]


def result(seed: str = "job-1") -> Result:
    datasets = scans()
    volume = assemble(datasets)
    structures = [LUNG, NODULE]
    found = volumes(labels(), structures, volume)
    found.append(
        Measurement(
            3, Code("UHIW", "IBSI", "Variance"), 12.5, NO_UNIT, Code("IAZD", "IBSI", "3D, merged")
        )
    )
    return Result(
        volume, "测试", source_of(datasets, volume), labels(), structures, found, "左肺。", seed
    )


@pytest.fixture(scope="module")
def made() -> dict[str, Product]:
    return {one.name: one for one in products(result(), FORMS)}


def read(product: Product) -> Dataset:
    return dicom.read(product.data)


@pytest.mark.parametrize("name", ["segmentation.dcm", "rtstruct.dcm"])
def test_a_region_comes_back_as_it_was(made: dict[str, Product], name: str) -> None:
    volume = assemble(scans())
    for one in (LUNG, NODULE):
        found = region_of(read(made[name]), volume, one.name)
        assert np.array_equal(found.mask, labels() == one.number)


@pytest.mark.parametrize(
    "name", ["segmentation.dcm", "rtstruct.dcm", "report.dcm", "picture-1.dcm"]
)
def test_every_object_is_of_the_patient_and_says_that_it_is_for_research(
    made: dict[str, Product], name: str
) -> None:
    found = read(made[name])
    assert (found.PatientID, str(found.PatientName)) == ("pat-1", "张^三")
    assert found.PatientBirthDate == "19600102"
    assert found.StudyInstanceUID == scans()[0].StudyInstanceUID
    assert found.SeriesInstanceUID != SERIES
    assert "科研用途" in found.SeriesDescription
    assert found.ContentQualification == "RESEARCH"
    assert found.SpecificCharacterSet == "ISO_IR 192"


def test_segments_carry_codes_and_point_at_the_slices(made: dict[str, Product]) -> None:
    found = highdicom.seg.segread(BytesIO(made["segmentation.dcm"].data))
    lung = found.get_segment_description(1)
    assert lung.segmented_property_type.value == "39607008"
    assert lung.segmented_property_type.scheme_designator == "SCT"
    assert found.FrameOfReferenceUID == FRAME
    assert found.get_segment_description(2).segmented_property_type.scheme_designator == "99BEDSIDE"
    refused = {uid for _, _, uid in found.get_source_image_uids()}
    assert refused <= {one.SOPInstanceUID for one in scans()}
    planes = found.get_pixels_by_source_instance(
        sorted(refused), segment_numbers=[1], combine_segments=False
    )
    assert planes.sum() == (labels() == 1).sum()


def test_contours_name_their_slices_and_are_not_approved(made: dict[str, Product]) -> None:
    found = read(made["rtstruct.dcm"])
    assert found.ApprovalStatus == "UNAPPROVED"
    known = {one.SOPInstanceUID: one for one in scans()}
    for roi in found.ROIContourSequence:
        for contour in roi.ContourSequence:
            slice_ = known[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
            assert {float(z) for z in contour.ContourData[2::3]} == {
                float(slice_.ImagePositionPatient[2])
            }
            assert contour.NumberOfContourPoints * 3 == len(contour.ContourData)
    code = found.RTROIObservationsSequence[0].RTROIIdentificationCodeSequence[0]
    assert code.CodeValue == "39607008"


def test_measurements_stand_in_groups_that_name_their_segment(made: dict[str, Product]) -> None:
    found = highdicom.sr.srread(BytesIO(made["report.dcm"].data))
    assert (found.VerificationFlag, found.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    groups = found.content.get_volumetric_roi_measurement_groups()
    assert [one.tracking_identifier for one in groups] == ["左肺", "结节"]
    segment = read(made["segmentation.dcm"])
    for number, one in enumerate(groups, start=1):
        referred = one.referenced_segment
        assert referred.referenced_sop_instance_uid == segment.SOPInstanceUID
        assert referred.referenced_segment_numbers == [number] or (
            referred.referenced_segment_numbers == number
        )
    by_name = {m.name.value: m for m in groups[1].get_measurements()}
    assert by_name["118565006"].value == pytest.approx((labels() == 3).sum() * 2.5 / 1000)
    assert by_name["118565006"].unit.value == "mL"
    assert by_name["UHIW"].name.scheme_designator == "IBSI"
    assert by_name["UHIW"].value == 12.5


def test_nifti_lies_on_the_grid_of_the_image(made: dict[str, Product], tmp_path: Path) -> None:
    path = tmp_path / "labels.nii.gz"
    path.write_bytes(made["labels.nii.gz"].data)
    found, grid = nifti.read(path)
    assert np.array_equal(found, labels())
    assert grid.same_as(assemble(scans()).grid)
    legend = json.loads(made["labels.json"].data)["structures"]
    assert [(one["number"], one["name"]) for one in legend] == [(1, "左肺"), (3, "结节")]


def test_pictures_show_the_outline_and_carry_the_notice(made: dict[str, Product]) -> None:
    shown = np.asarray(Image.open(BytesIO(made["montage.png"].data)), int)
    assert (shown == LUNG.colour).all(axis=2).any()
    strip = shown[-12:]
    assert strip.max() > 200, "the notice is below the slices"
    captured = read(made["picture-1.dcm"])
    assert np.array_equal(captured.pixel_array, shown)
    assert captured.BurnedInAnnotation == "NO"


def test_the_same_result_makes_the_same_objects() -> None:
    def uids(seed: str) -> list[str]:
        return [
            one.dataset.SOPInstanceUID for one in products(result(seed), ["seg"]) if one.dataset
        ]

    assert uids("job-1") == uids("job-1")
    assert uids("job-1") != uids("job-2")
    assert uids("") != uids("")


def test_what_does_not_fit_is_told_of() -> None:
    good = result()
    for structures, said in (
        ([LUNG], "没有名称的标签"),
        ([LUNG, Structure(1, "右肺")], "重复"),
        ([LUNG, Structure(3, "左肺")], "重复"),
        ([], "编号缺失"),
    ):
        bad = Result(good.volume, "t", good.source, labels(), structures)
        with pytest.raises(ImageProblem, match=said):
            products(bad, ["seg"])
    small = Result(good.volume, "t", good.source, labels()[1:], [LUNG, NODULE])
    with pytest.raises(ImageProblem, match="大小不同"):
        products(small, ["rtstruct"])
    with pytest.raises(ImageProblem, match="没有任何测量值"):
        products(Result(good.volume, "t", good.source, labels(), [LUNG, NODULE]), ["sr"])
    with pytest.raises(ImageProblem, match="没有勾画"):
        products(Result(good.volume, "t", good.source), ["nifti"])
    with pytest.raises(ImageProblem, match="只有 DICOM 序列"):
        products(Result(good.volume, "t", None, labels(), [LUNG, NODULE]), ["seg"])
    with pytest.raises(ImageProblem, match="只有 DICOM 序列"):
        source_of(scans()[1:], good.volume)


@pytest.mark.parametrize(
    "odd",
    [
        {"StudyDate": "2024.05.03", "StudyTime": "noon", "PatientBirthDate": "19XX"},
        {"PatientSex": "X", "PatientAge": "64", "PatientName": "A=B=C=D"},
        {"SliceThickness": "", "ReferringPhysicianName": "a^b^c^d^e^f^g"},
        {"StudyID": "x" * 80, "AccessionNumber": "1\\2"},
    ],
)
def test_odd_headers_do_not_keep_a_result_from_being_written(odd: dict[str, str]) -> None:
    datasets = scans(**odd)
    volume = assemble(datasets)
    structures = [LUNG, NODULE]
    found = volumes(labels(), structures, volume)
    one = Result(volume, "t", source_of(datasets, volume), labels(), structures, found)
    made = products(one, ["seg", "rtstruct", "sr", "sc"])
    assert [product.form for product in made] == ["seg", "rtstruct", "sr", "sc"]
    assert np.array_equal(region_of(read(made[0]), volume, "左肺").mask, labels() == 1)


def test_without_a_frame_of_reference_it_is_said_what_can_be_written() -> None:
    datasets = scans(FrameOfReferenceUID="")
    volume = assemble(datasets)
    one = Result(volume, "t", source_of(datasets, volume), labels(), [LUNG, NODULE])
    for form in ("seg", "rtstruct"):
        with pytest.raises(ImageProblem, match="参考坐标系"):
            products(one, [form])  # type: ignore[list-item]
    assert products(one, ["nifti", "sc"])


def test_a_report_without_outlines_still_has_its_values() -> None:
    good = result()
    plain = Result(good.volume, "t", good.source, None, good.structures, good.measurements)
    only = products(plain, ["sr", "sc"])
    assert [one.form for one in only] == ["sr", "sc"]
    groups = highdicom.sr.srread(BytesIO(only[0].data)).content.get_image_measurement_groups()
    assert [one.tracking_identifier for one in groups] == ["左肺", "结节"]


def test_no_text_of_the_source_goes_into_what_is_not_dicom(made: dict[str, Product]) -> None:
    for name in ("labels.nii.gz", "labels.json", "result.json", "montage.png"):
        assert "张".encode() not in made[name].data
        assert b"pat-1" not in made[name].data


@settings(max_examples=150)
@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_any_mask_is_its_outline_filled(plane: np.ndarray) -> None:
    assert np.array_equal(fill(outlines(plane), plane.shape), plane)


def test_a_slanted_series_comes_back_too() -> None:
    turn = np.deg2rad(20)
    row, column = [np.cos(turn), np.sin(turn), 0.0], [-np.sin(turn), np.cos(turn), 0.0]
    datasets = scans(ImageOrientationPatient=[*row, *column])
    volume = assemble(datasets)
    assert np.array_equal(volume.array, intensities())
    turned = Result(
        volume, "t", source_of(datasets, volume), labels(), [LUNG, NODULE], seed="turned"
    )
    for product in products(turned, ["seg", "rtstruct"]):
        assert np.array_equal(region_of(read(product), volume, "左肺").mask, labels() == 1)


@pytest.mark.shared
def test_contours_of_a_real_scan_come_back(shared_data: Path) -> None:
    folder = shared_data / "imaging" / "lung1_ct"
    if not folder.is_dir():
        pytest.skip("no lung1_ct")
    from assistant.imaging import archive

    datasets = list(dicom.datasets(archive.files(folder / "image")))
    volume = assemble(datasets)
    drawn = pydicom.dcmread(folder / "rtstruct.dcm")
    mask = region_of(drawn, volume, "GTV-1").mask
    one = Result(
        volume,
        "t",
        source_of(datasets, volume),
        mask.astype(np.uint8),
        [Structure(1, "GTV")],
    )
    for product in products(one, ["seg", "rtstruct"]):
        assert np.array_equal(region_of(read(product), volume, "GTV").mask, mask)


assert labels().shape == SHAPE
