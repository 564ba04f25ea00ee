"""Where a statement comes from: a span of text, a box on a page, a region of a volume, a passage.

Drafts from before there were four kinds have ``record`` and ``knowledge``; they are read as spans
and passages, and stay in the store as they were kept, since the audit is bound to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from assistant.record.fields import Identifier
from knowledge.text.finding import Span

Point = tuple[float, float, float]


class _Part(BaseModel):
    """A part of a record or of the knowledge base, and the words that are quoted from it."""

    model_config = ConfigDict(frozen=True)

    quote: str


class TextSpan(_Part):
    """Characters of a note, from ``start`` up to but not including ``end``."""

    kind: Literal["span"] = "span"
    note_id: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)

    @classmethod
    def at(cls, span: Span, quote: str) -> Self:
        """The evidence that ``span`` is; the quote may be its whole sentence."""
        return cls(note_id=span.note_id, start=span.start, end=span.end, quote=quote)

    @property
    def span(self) -> Span:
        """Where it is."""
        return Span(note_id=self.note_id, start=self.start, end=self.end)


class Rectangle(BaseModel):
    """Pixels of a picture, counted from its upper left corner."""

    model_config = ConfigDict(frozen=True)

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class PageBox(_Part, Rectangle):
    """Words on a page of which there is an image."""

    kind: Literal["box"] = "box"
    attachment_id: Identifier
    page: int = Field(default=1, ge=1)


class VolumeBox(BaseModel):
    """A box in a volume: its two corners, in voxels (column, row, slice) or in millimetres of the
    patient's coordinates."""

    model_config = ConfigDict(frozen=True)

    unit: Literal["voxel", "mm"]
    low: Point
    high: Point

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if any(low > high for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError("low must not be above high")
        return self


class SlicePicture(Rectangle):
    """One slice as an image that the task made, and where the region is on it."""

    attachment_id: Identifier
    slice: int = Field(default=0, ge=0)


class VolumeRegion(_Part):
    """A part of a series: a labelled segment or a box, with a picture to show it on."""

    kind: Literal["region"] = "region"
    series_id: Identifier
    label: str
    segment: int | None = Field(default=None, ge=1, description="Its number in a segmentation.")
    box: VolumeBox | None = None
    picture: SlicePicture | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.segment is None and self.box is None:
            raise ValueError("a region is a segment or a box")
        return self


class CitedPassage(_Part):
    """A passage of the knowledge base; ``source`` is what it was built from.

    A name or a code that the base has without a text has no ``passage_id``.
    """

    kind: Literal["passage"] = "passage"
    passage_id: str | None = None
    source: str = ""


def _of_today(value: Any) -> Any:
    """Evidence as it was kept before there were four kinds, in one of them."""
    if not isinstance(value, Mapping):
        return value
    if value.get("kind") == "record":
        return {"kind": "span", "quote": value.get("quote"), **(value.get("span") or {})}
    if value.get("kind") == "knowledge":
        kept = {name: value[name] for name in ("quote", "passage_id", "source") if name in value}
        return {"kind": "passage", **kept}
    return value


Evidence = Annotated[
    Annotated[TextSpan | PageBox | VolumeRegion | CitedPassage, Field(discriminator="kind")],
    BeforeValidator(_of_today),
]
