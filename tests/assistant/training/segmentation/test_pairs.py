"""Images and masks find each other by name; what cannot be paired is said."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from assistant.imaging.problem import ImageProblem
from assistant.training.segmentation import case, pairs, plan
from serving.vision import description
from serving.vision.description import FILE_NAME, Description, Intensity, as_yaml


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    "names",
    [
        ("images/a.nii.gz", "images/b.nrrd", "masks/a.nii.gz", "masks/b.nii"),
        ("images/a.png", "images/b.png", "labels/a_seg.png", "labels/b.png"),
        ("imagesTr/a_0000.nii.gz", "imagesTr/b_0000.nii.gz", "labelsTr/a.nii", "labelsTr/b.nii"),
        ("a.nii.gz", "a_mask.nii.gz", "b.png", "b_label.png", "notes.txt"),
    ],
)
def test_each_image_has_its_mask(tmp_path: Path, names: tuple[str, ...]) -> None:
    touch(*(tmp_path / name for name in names))
    found = pairs.find(tmp_path)
    assert [one.name for one in found] == ["a", "b"]
    assert all(one.image.stem[0] == one.mask.stem[0] == one.name for one in found)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("notes.txt",), "没有图像"),
        (("images/a.png", "images/b.png", "masks/a.png"), "没有掩膜：b"),
        (("a.png", "a_mask.png", "c_mask.png"), "没有图像：c"),
        (("images/a.png", "images/a.nii", "masks/a.png"), "两个文件"),
    ],
)
def test_what_cannot_be_paired_is_said(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    touch(*(tmp_path / name for name in names))
    with pytest.raises(ImageProblem, match=said):
        pairs.find(tmp_path)


def nifti(path: Path, array: np.ndarray, spacing: float = 1.0) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, np.diag([-spacing, -spacing, spacing, 1])), path)
    return path


def pair(folder: Path, image: np.ndarray, mask: np.ndarray, spacing: float = 1.0) -> pairs.Pair:
    return pairs.Pair(
        "p", nifti(folder / "p.nii", image), nifti(folder / "p_mask.nii", mask, spacing)
    )


IMAGE = np.random.default_rng(1).integers(0, 900, (12, 10, 8)).astype(np.int16)
MASK = np.zeros((12, 10, 8), np.uint8)
MASK[3:6, 2:7, 1:4], MASK[8:10, 2:4, 4:6] = 2, 5


def test_a_bound_that_is_the_default_is_written_and_read(tmp_path: Path) -> None:
    said = Description(intensity=Intensity(kind="range", low=0, high=1))
    (tmp_path / FILE_NAME).write_text(as_yaml(said), "utf-8")
    assert description.read(tmp_path / FILE_NAME) == said


def test_a_case_is_what_the_network_is_given(tmp_path: Path) -> None:
    read = case.read(pair(tmp_path, IMAGE, MASK), "CT")
    values = case.label_values([read])
    assert values == [0, 2, 5]
    said = plan.described([read], values, ["liver", "spleen"], 3, "m", (8, 8, 8), 8)
    assert (said.modality, said.intensity.kind, said.spacing) == ("CT", "range", (1, 1, 1))
    made = case.prepared(read, values, said)
    assert made.array.shape == made.labels.shape
    assert np.count_nonzero(made.labels == 1) == np.count_nonzero(MASK == 2)
    assert np.count_nonzero(made.labels == 2) == np.count_nonzero(MASK == 5)
    # Voxels of a structure are where the image has that structure's intensities.
    assert sorted(read.volume.array[read.mask == 2]) == sorted(IMAGE[MASK == 2])


@pytest.mark.parametrize(
    ("mask", "spacing", "said"),
    [
        (MASK, 2.0, "不一致"),
        (MASK[:6], 1.0, "不一致"),
        (MASK * np.float32(0.5), 1.0, "不是整数"),
    ],
)
def test_a_mask_that_does_not_fit_is_named(
    tmp_path: Path, mask: np.ndarray, spacing: float, said: str
) -> None:
    with pytest.raises(ImageProblem, match=f"病例 p：.*{said}"):
        case.read(pair(tmp_path, IMAGE, mask, spacing), "")


def test_masks_without_classes_are_refused(tmp_path: Path) -> None:
    empty = case.read(pair(tmp_path, IMAGE, MASK * 0), "")
    with pytest.raises(ImageProblem, match="空的"):
        case.label_values([empty])
    mixed = case.read(pair(tmp_path, IMAGE, IMAGE), "")
    with pytest.raises(ImageProblem, match="当成了掩膜"):
        case.label_values([mixed])
    good = case.read(pair(tmp_path, IMAGE, MASK), "")
    with pytest.raises(ImageProblem, match="2 种结构"):
        plan.described([good], [0, 2, 5], ["liver"], 2, "m", (1, 8, 8), 8)


def test_some_cases_are_held_out_always_the_same() -> None:
    names = [f"c{at}" for at in range(10)]
    first = plan.held_out(names, 0.2, 3)
    assert len(first) == 2
    assert first == plan.held_out(names, 0.2, 3)
    assert len(plan.held_out(names[:2], 0.0, 1)) == 1
    with pytest.raises(ImageProblem, match="至少需要 2 个"):
        plan.held_out(names[:1], 0.2, 1)


def test_grey_pngs_are_images_and_masks(tmp_path: Path) -> None:
    image = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    Image.fromarray(image).save(tmp_path / "a.png")
    Image.fromarray((image > 20_000).astype(np.uint8) * 255).save(tmp_path / "a_mask.png")
    (found,) = pairs.find(tmp_path)
    read = case.read(found, "")
    assert np.array_equal(read.volume.array[0], image)
    assert case.label_values([read]) == [0, 255]
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(ImageProblem, match="彩色"):
        case.read(found, "")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nshort")
    with pytest.raises(ImageProblem, match="损坏"):
        case.read(found, "")
