"""A page as an image and an instance of a series, made here."""

from __future__ import annotations

from io import BytesIO

import pydicom
from PIL import Image, ImageDraw
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

PAGE_SIZE = (800, 600)
STUDY, SERIES = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2"


def page(kind: str = "PNG", mark: int = 0) -> bytes:
    """A white page with a dark bar at (200, 300); ``mark`` makes another."""
    image = Image.new("RGB", PAGE_SIZE, "white")
    ImageDraw.Draw(image).rectangle((200, 300, 300 + mark, 330), fill="black")
    made = BytesIO()
    image.save(made, kind)
    return made.getvalue()


def instance(
    number: int = 1, *, series: str = SERIES, study: str = STUDY, modality: str = "CT"
) -> bytes:
    """One slice of a tiny series."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"{series}.{number}"
    made = Dataset()
    made.file_meta = meta
    made.SOPClassUID = CTImageStorage
    made.SOPInstanceUID = f"{series}.{number}"
    made.StudyInstanceUID, made.SeriesInstanceUID = study, series
    made.Modality = modality
    made.Rows, made.Columns = 2, 3
    made.BitsAllocated, made.SamplesPerPixel = 8, 1
    made.PixelData = bytes([number] * 6)
    written = BytesIO()
    pydicom.dcmwrite(written, made, enforce_file_format=True)
    return written.getvalue()


def other_uid() -> str:
    """A UID that nothing else has."""
    return str(generate_uid(f"{STUDY}."))[:50].rstrip(".")
