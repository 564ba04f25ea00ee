"""Pictures and radiographs as channels: colours, inverted greys, and files that are none."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from imaging_samples import dataset
from PIL import Image

from assistant.imaging import channels
from assistant.imaging.problem import ImageProblem

DX = "1.2.840.10008.5.1.4.1.1.1.1"


def radiograph(photometric: str = "MONOCHROME2", **more: object) -> bytes:
    made = dataset(DX, "1.2.826.0.1.3680043.8.498.77.9", "DX")
    made.Rows, made.Columns, made.SamplesPerPixel = 6, 4, 1
    made.PhotometricInterpretation = photometric
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.PixelData = np.arange(24, dtype=np.uint16).tobytes()
    for key, value in more.items():
        setattr(made, key, value)
    written = BytesIO()
    made.save_as(written, enforce_file_format=True)
    return written.getvalue()


def test_a_radiograph_has_no_place_and_is_read(tmp_path: Path) -> None:
    path = tmp_path / "chest.dcm"
    path.write_bytes(radiograph(ImagerPixelSpacing=[0.2, 0.3]))
    image = channels.read(path)
    assert image.first.modality == "DX"
    assert image.first.grid.spacing == (1.0, 0.2, 0.3)
    assert np.array_equal(image.first.array[0], np.arange(24).reshape(6, 4))


def test_more_is_brighter_whatever_the_file_says() -> None:
    image = channels.of_dicom([radiograph("MONOCHROME1")])
    assert np.array_equal(image.first.array[0], 23 - np.arange(24).reshape(6, 4))


def test_colours_and_greys_of_a_picture(tmp_path: Path) -> None:
    colours = np.zeros((5, 7, 3), np.uint8)
    colours[..., 0], colours[2, 3, 1] = 200, 100
    Image.fromarray(colours).save(tmp_path / "a.png")
    image = channels.read(tmp_path / "a.png")
    red, green, blue = image.of(3)
    assert (red.array == 200).all()
    assert green.array[0, 2, 3] == 100
    assert not blue.array.any()
    assert image.grey().array[0, 0, 0] == pytest.approx(0.299 * 200)
    grey = np.linspace(0, 60_000, 35).astype(np.uint16).reshape(5, 7)
    Image.fromarray(grey).save(tmp_path / "b.png")
    deep = channels.read(tmp_path / "b.png")
    assert np.array_equal(deep.first.array[0], grey)
    assert len(deep.of(3)) == 3


def test_one_slice_of_a_volume_keeps_its_place() -> None:
    from imaging_samples import series, written

    image = channels.of_dicom(written(one) for one in series())
    third = image.slice(2)
    assert third.slices == 1
    assert np.array_equal(third.first.array[0], image.first.array[2])
    assert np.allclose(third.first.grid.origin, image.first.grid.positions(np.array([[2.0, 0, 0]])))
    with pytest.raises(ImageProblem, match="共 8 层"):
        image.slice(8)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG none")
    with pytest.raises(ImageProblem, match="损坏"):
        channels.read(tmp_path / "a.png")
    with pytest.raises(ImageProblem):
        channels.read(tmp_path / "absent.jpg")
    with pytest.raises(ImageProblem, match="多帧"):
        channels.of_dicom([radiograph(NumberOfFrames="2")])
