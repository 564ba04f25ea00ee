"""Studies from files: what is read, and what is said of what cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_samples import ROOT, written
from perfusion_samples import instance, instances, nifti, phantom

from assistant.imaging.problem import ImageProblem
from assistant.tasks.perfusion import dicom_study
from assistant.tasks.perfusion.nifti_study import read_times
from assistant.tasks.perfusion.source import artery_mask, read_study
from assistant.tasks.perfusion.study import reduced, reduction_of

RANDOM = np.random.default_rng(5)
FRAMES = RANDOM.normal(40, 5, (12, 3, 16, 16))


def test_one_series_is_sorted_by_place_and_time() -> None:
    made = phantom()
    found = dicom_study.read(instances(made))
    assert found.array.shape == made.array.shape
    clipped = np.clip(np.round(made.array), -1024, 3071)
    assert np.abs(found.array - clipped).max() < 1e-3
    assert found.times == pytest.approx(np.tile(made.times, (2, 1)))
    assert (found.modality, found.is_shuttle) == ("CT", False)


def test_a_series_for_each_time_is_one_study() -> None:
    ones = [
        instance(plane, z, z, t, 1.5 * t, series=f"{ROOT}.40.{t + 1}")
        for t, frame in enumerate(FRAMES)
        for z, plane in enumerate(frame)
    ]
    found = dicom_study.read(ones)
    assert found.array.shape == FRAMES.shape
    assert np.diff(found.times[0]) == pytest.approx(np.full(11, 1.5))
    assert len(found.series) == 12


def test_slices_of_a_shuttle_keep_their_own_times() -> None:
    ones = [
        instance(plane, t * 3 + z, z, t, 3.0 * t + (1.4 if z == 2 else 0.0))
        for t, frame in enumerate(FRAMES)
        for z, plane in enumerate(frame)
    ]
    found = dicom_study.read(ones[:-1])
    assert found.is_shuttle
    assert found.times[2] == pytest.approx(3.0 * np.arange(11) + 1.4)
    assert found.array.shape[0] == 11


@pytest.mark.parametrize(
    ("changes", "step", "seconds"),
    [
        ({"AcquisitionTime": None, "TriggerTime": lambda t: 700.0 * t}, None, 0.7),
        ({"AcquisitionTime": None, "ContentTime": lambda t: f"1000{t + 1:02d}"}, None, 1.0),
        ({"AcquisitionTime": "100000"}, 1.3, 1.3),
    ],
)
def test_other_tags_tell_the_time_as_well(
    changes: dict[str, Any], step: float | None, seconds: float
) -> None:
    ones = [
        instance(
            plane,
            t * 3 + z,
            z,
            t,
            0,
            **{tag: value(t) if callable(value) else value for tag, value in changes.items()},
        )
        for t, frame in enumerate(FRAMES)
        for z, plane in enumerate(frame)
    ]
    found = dicom_study.read(ones, step)
    assert np.diff(found.times[0]) == pytest.approx(np.full(11, seconds))


def test_a_study_over_midnight_goes_on() -> None:
    ones = []
    for t, frame in enumerate(FRAMES):
        at = 86_394 + t
        clock = f"{at % 86_400 // 3600:02d}{at % 3600 // 60:02d}{at % 60:02d}"
        ones += [
            instance(plane, t * 3 + z, z, t, 0, AcquisitionTime=clock)
            for z, plane in enumerate(frame)
        ]
    found = dicom_study.read(ones)
    assert found.times[0] == pytest.approx(np.arange(12))
    assert found.array[0, 0] == pytest.approx(np.round(FRAMES[0, 0]))


def test_what_is_wrong_with_dicom_is_said() -> None:
    full = [
        instance(plane, t * 3 + z, z, t, float(t))
        for t, frame in enumerate(FRAMES)
        for z, plane in enumerate(frame)
    ]
    for ones, said in (
        ([], "没有找到 DICOM"),
        (full[:-1], "时相数不一致"),
        (full[:3], "只有一个时相"),
        (full[:15], "至少需要 10 个"),
        ([*full, instance(FRAMES[0, 0][:8], 99, 0, 0, 50.0)], "不一致"),
        ([one for n, one in enumerate(full) if n % 3 != 1] + full[3:0:-3], "."),
    ):
        with pytest.raises(ImageProblem, match=said):
            dicom_study.read(ones)
    same = [
        instance(plane, t * 3 + z, z, t, 5.0)
        for t, frame in enumerate(FRAMES)
        for z, plane in enumerate(frame)
    ]
    with pytest.raises(ImageProblem, match="--tr"):
        dicom_study.read(same)


def test_nifti_has_its_times_from_header_file_or_step(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii.gz", FRAMES, step=1.5)
    found = read_study(path, modality="CT")
    assert found.array == pytest.approx(FRAMES, abs=1e-4)
    assert found.times[0] == pytest.approx(1.5 * np.arange(12))
    uneven = np.cumsum([0.0, *([1.0] * 6), *([3.0] * 5)])
    (tmp_path / "times.txt").write_text("\n".join(map(str, uneven + 100)))
    found = read_study(path, times=tmp_path / "times.txt")
    assert found.times[0] == pytest.approx(uneven)
    assert read_study(path, step=2.0).times[0, -1] == pytest.approx(22)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (FRAMES[:9], "至少需要 10 个"),
        (np.repeat(FRAMES[:1], 12, axis=0), "不随时间变化"),
        (np.where(np.arange(16) == 3, np.nan, FRAMES), "NaN"),
        (FRAMES[:1], "四维|维的|时间"),
    ],
)
def test_what_is_wrong_with_nifti_is_said(tmp_path: Path, array: Any, said: str) -> None:
    with pytest.raises(ImageProblem, match=said):
        read_study(nifti(tmp_path / "a.nii.gz", array), step=1.0)


def test_times_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii.gz", FRAMES)
    for text, said in (
        ("0 1 2", "12 个时相"),
        (" ".join(str(abs(n - 3)) for n in range(12)), "逐点递增"),
        ("a b", "数字"),
        (" ".join(str(n * 1000) for n in range(12)), "毫秒"),
    ):
        (tmp_path / "t.txt").write_text(text)
        with pytest.raises(ImageProblem, match=said):
            read_study(path, times=tmp_path / "t.txt")
    with pytest.raises(ImageProblem, match="没有这个文件"):
        read_study(tmp_path / "gone")
    flat = nifti(tmp_path / "b.nii.gz", FRAMES, step=0.0)
    with pytest.raises(ImageProblem, match="--tr"):
        read_study(flat)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.sampled_from(["\n", ",", " ; "]))
@settings(max_examples=30)
def test_a_file_of_times_is_read_as_written(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], between: str
) -> None:
    path = tmp_path_factory.mktemp("times") / "t.txt"
    path.write_text(between.join(repr(one) for one in values))
    assert list(read_times(path)) == values
    path.write_text(json.dumps(values))
    assert list(read_times(path)) == values


def test_large_planes_are_averaged() -> None:
    assert [reduction_of(size, size) for size in (128, 256, 320, 512, 1024)] == [1, 1, 1, 2, 4]
    plane = np.arange(36.0).reshape(6, 6)
    assert reduced(plane, 2)[0, 0] == pytest.approx(plane[:2, :2].mean())


def test_an_artery_is_a_place_or_a_mask(tmp_path: Path) -> None:
    found = read_study(nifti(tmp_path / "a.nii.gz", FRAMES))
    assert list(np.argwhere(artery_mask("5,7,2", found))[0]) == [2, 7, 5]
    for given_ in ("5,7,3", "-1,0,0", "a,b,c"):
        with pytest.raises(ImageProblem, match="--aif"):
            artery_mask(given_, found)
    mask = np.zeros((1, 3, 16, 16))
    mask[0, 1, 4:6, 8] = 1
    nifti(tmp_path / "m.nii.gz", mask[0][None])
    assert artery_mask(str(tmp_path / "m.nii.gz"), found).sum() == 2


def test_files_of_a_folder_and_a_zip(tmp_path: Path) -> None:
    import zipfile

    folder = tmp_path / "study"
    folder.mkdir()
    ones = [
        instance(plane, t * 3 + z, z, t, float(t))
        for t, frame in enumerate(FRAMES)
        for z, plane in enumerate(frame)
    ]
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for number, one in enumerate(ones):
            (folder / f"{number}.dcm").write_bytes(written(one))
            archive.writestr(f"{number}.dcm", written(one))
    both = read_study(folder), read_study(tmp_path / "study.zip")
    assert np.array_equal(both[0].array, both[1].array)


def test_slices_that_are_not_axial_are_refused(tmp_path: Path) -> None:
    import nibabel

    path = nifti(tmp_path / "a.nii.gz", FRAMES)
    image = nibabel.load(path)
    turned = image.as_reoriented(
        nibabel.orientations.ornt_transform(
            nibabel.orientations.io_orientation(image.affine),
            nibabel.orientations.axcodes2ornt("PIR"),
        )
    )
    nibabel.save(turned, tmp_path / "sagittal.nii.gz")
    with pytest.raises(ImageProblem, match="轴位"):
        read_study(tmp_path / "sagittal.nii.gz", step=1.0)


def test_a_place_that_lacks_a_number_is_not_taken_for_a_file(tmp_path: Path) -> None:
    found = read_study(nifti(tmp_path / "a.nii.gz", FRAMES), step=1.0)
    with pytest.raises(ImageProblem, match="列,行,层"):
        artery_mask("1,2", found)
