"""What belongs to a record and is no text: a page as an image, a series of a study.

The contents lie in the store by their hash; a record names the attachment by its id, and carries
the hash, so that a record whose pages have changed is another record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from assistant.record.fields import Identifier, Strict

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
UID_PATTERN = r"^[0-9]+(\.[0-9]+)*$"
MAX_UID = 64
MODALITY_PATTERN = r"^[A-Z0-9_ ]{1,16}$"
Uid = Annotated[str, StringConstraints(max_length=MAX_UID, pattern=UID_PATTERN)]
Modality = Annotated[str, StringConstraints(pattern=MODALITY_PATTERN)]
PageMediaType = Literal["image/png", "image/jpeg"]

DICOM = "application/dicom"
MEDIA_TYPES = ("image/png", "image/jpeg", DICOM)
REGION_MODALITIES = ("RTSTRUCT", "SEG")
"""Series that mark regions of other series."""

MAX_PAGE = 10_000


class PageImage(Strict):
    """One page of a document, such as a photographed bill or a scanned form."""

    kind: Literal["page_image"] = "page_image"
    id: Identifier
    media_type: PageMediaType
    sha256: Sha256
    page: int = Field(default=1, ge=1, le=MAX_PAGE)
    width: int = Field(gt=0, description="In pixels.")
    height: int = Field(gt=0, description="In pixels.")


class Series(Strict):
    """One series of a DICOM study.  ``sha256`` is over the hashes of its instances."""

    kind: Literal["dicom_series"] = "dicom_series"
    id: Identifier
    study_uid: Uid
    series_uid: Uid
    modality: Modality
    sha256: Sha256
    instances: int = Field(ge=1)
    rows: int = Field(default=0, ge=0)
    columns: int = Field(default=0, ge=0)


Attachment = Annotated[PageImage | Series, Field(discriminator="kind")]
Attachments = Annotated[
    list[Attachment],
    # Left out where there are none, so that a record is the same as before there were any.
    Field(max_length=500, exclude_if=lambda found: not found),
]


def referenced(payload: Any) -> Iterator[Mapping[str, Any]]:
    """The attachments that a request names, wherever they stand in it."""
    if isinstance(payload, Mapping):
        found = payload.get("attachments")
        if isinstance(found, list):
            yield from (one for one in found if isinstance(one, Mapping) and "sha256" in one)
        payload = [value for key, value in payload.items() if key != "attachments"]
    if isinstance(payload, list):
        for value in payload:
            yield from referenced(value)
