"""A page that is being printed: each text that is drawn is kept with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from assistant.record.evidence import Rectangle
from assistant.tasks.bill_ocr.document import BillDocument, Cell
from eval.clinical.bills.generator.fonts import choose, font
from eval.clinical.bills.generator.layout import Colour, Layout
from serving.ocr.line import TextLine

Box = tuple[float, float, float, float]
MERGED = 0.55
"""What stands nearer than so many heights of a letter is one line for a reader of pages."""


@dataclass(slots=True)
class Printed:
    """A text on the page: left, top, right, bottom, and where each character ends."""

    text: str
    box: Box
    ends: list[float]


@dataclass(slots=True)
class Truth:
    """A value, its place and where it goes in the document."""

    path: tuple[str, ...]
    value: str
    text: str
    box: Box


@dataclass(slots=True)
class Page:
    """A picture with what is on it."""

    layout: Layout
    image: Image.Image
    faces: dict[str, str]
    printed: list[Printed] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)

    @classmethod
    def of(cls, layout: Layout, height: int, random: Random) -> Page:
        """An empty page."""
        faces = {use: choose(look, random) for use, look in layout.fonts.items()}
        faces["title"] = choose("bold", random)
        return cls(layout, Image.new("RGB", (layout.page[0], height), layout.paper), faces)

    def width(self, text: str, size: int, use: str = "value") -> float:
        """Of a text in pixels."""
        return font(self.faces[use], size).getlength(text)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: int,
        use: str = "value",
        colour: Colour | None = None,
    ) -> Box:
        """Print ``text`` with its upper left corner at (x, y) and give its ink's box."""
        face = font(self.faces[use], size)
        if colour is None:
            colour = self.layout.colours["label" if use != "value" else "value"]
        draw = ImageDraw.Draw(self.image)
        # One baseline for all fonts; what is printed into a form stands a little beside it.
        base = (x, y + 0.95 * size + (2 if self.layout.printed and use == "value" else 0))
        draw.text(base, text, font=face, fill=colour, anchor="ls")
        left, top, right, bottom = draw.textbbox(base, text, font=face, anchor="ls")
        ends = [face.getlength(text[: i + 1]) for i in range(len(text))]
        box = (float(left), float(top), float(right), float(bottom))
        self.printed.append(Printed(text, box, [x + end for end in ends]))
        return box

    def rule(self, points: tuple[float, float, float, float], width: int = 1) -> None:
        """A printed line."""
        ImageDraw.Draw(self.image).line(points, fill=self.layout.colours["label"], width=width)

    def lines(self) -> list[TextLine]:
        """The texts as a perfect reader finds them: neighbours run together, no spaces kept."""
        return [_line(group) for group in _merged(self.printed)]

    def document(self) -> BillDocument:
        """The truth."""
        document = BillDocument(kind=self.layout.kind)
        for one in self.truth:
            cell = Cell(value=one.value, text=one.text, box=rectangle(one.box))
            if one.path[0] == "fields":
                document.fields[one.path[1]] = cell
            else:
                row = int(one.path[1])
                while len(document.items) <= row:
                    document.items.append({})
                document.items[row][one.path[2]] = cell
        return document


def rectangle(box: Box) -> Rectangle:
    """The pixels of a box."""
    left, top, right, bottom = box
    x, y = max(0, round(left)), max(0, round(top))
    return Rectangle(x=x, y=y, width=max(1, round(right) - x), height=max(1, round(bottom) - y))


def _merged(printed: list[Printed]) -> list[list[Printed]]:
    groups: list[list[Printed]] = []
    for one in sorted(printed, key=lambda p: (round(p.box[3] / 8), p.box[0])):
        last = groups[-1][-1] if groups else None
        if last is not None and _near(last, one):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _near(left: Printed, right: Printed) -> bool:
    height = min(left.box[3] - left.box[1], right.box[3] - right.box[1])
    middle = abs((left.box[1] + left.box[3]) - (right.box[1] + right.box[3])) / 2
    return 0 <= right.box[0] - left.box[2] < MERGED * height + 2 and middle < 0.4 * height


def _line(group: list[Printed]) -> TextLine:
    left, top = group[0].box[0], min(p.box[1] for p in group)
    right, bottom = group[-1].box[2], max(p.box[3] for p in group)
    pairs = [
        (character, end - left)
        for part in group
        for character, end in zip(part.text, part.ends, strict=True)
        if character != " "
    ]
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    text = "".join(character for character, _ in pairs)
    return TextLine(text, corners, 1.0, tuple(float(end) for _, end in pairs))


def pixels(image: Image.Image) -> np.ndarray:
    """uint8, height × width × 3."""
    return np.asarray(image.convert("RGB"))
