"""Sets of pictures with truth: easy scans, hard photos, layouts that were never seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

import cv2
import numpy as np

from assistant.tasks.bill_ocr.document import BillDocument, Item
from eval.clinical.bills.generator import wear
from eval.clinical.bills.generator.layout import Layout, layouts
from eval.clinical.bills.generator.page import Page, pixels, rectangle
from eval.clinical.bills.generator.render import draw
from serving.ocr.line import Quadrilateral, TextLine

SetName = Literal["easy", "hard", "unseen"]
SETS: tuple[SetName, ...] = ("easy", "hard", "unseen")


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture (uint8, height × width × 3, RGB) with the documents and lines that are on it.

    ``wear`` names what was done to it.
    """

    id: str
    layout: str
    difficulty: str
    image: wear.Picture
    documents: list[BillDocument]
    lines: list[TextLine]
    wear: tuple[str, ...]


def samples(name: SetName, count: int, seed: int) -> Iterator[Sample]:
    """The first ``count`` pictures of a set; the same ``seed`` gives the same ones."""
    return (sample(name, number, seed) for number in range(count))


def sample(name: SetName, number: int, seed: int) -> Sample:
    """One picture of a set.

    Of the unseen layouts one half is easy and one half hard; of hard ones every twentieth is a
    photo of two bills.
    """
    forms = layouts("unseen" if name == "unseen" else "seen")
    random = Random(f"{name} {seed} {number}")  # noqa: S311
    hard = name == "hard" or (name == "unseen" and number // len(forms) % 2 == 1)
    form = forms[number % len(forms)]
    made = f"{name}-{seed}-{number:04}"
    if name == "hard" and number % 20 == 19:
        other = random.choice([one for one in forms if one.kind is not form.kind])
        return _pair(made, (form, other), random)
    return _single(made, form, random, hard=hard)


def _page(layout: Layout, random: Random) -> Page:
    page, _ = draw(layout, random.randrange(2**32))
    if layout.stamp:
        y = page.image.height - random.randint(170, 260)
        x = layout.stamp.x + random.randint(-60, 60)
        page.image = wear.seal(page.image, x, y, layout.stamp.text, random)
    return page


def _single(made: str, layout: Layout, random: Random, *, hard: bool) -> Sample:
    page = _page(layout, random)
    picture, matrix, names = _worn(pixels(page.image), layout, random, hard=hard)
    document = moved_document(page.document(), matrix)
    lines = [_moved_line(line, matrix) for line in page.lines()]
    kind = "hard" if hard else "easy"
    return Sample(made, layout.name, kind, picture, [document], lines, names)


def _worn(
    picture: wear.Picture, layout: Layout, random: Random, *, hard: bool
) -> tuple[wear.Picture, wear.Matrix, tuple[str, ...]]:
    names: list[str] = []
    matrix = np.eye(3)
    if not hard:
        picture, matrix = wear.skew(picture, random, 0.6)
        return wear.compress(picture, random.randint(80, 92)), matrix, ("skew", "jpeg")
    # What was printed into a form comes from a printer of needles, or fades.
    if layout.printed and random.random() < 0.6:
        names.append(random.choice(sorted(wear.PRINT)))
        picture = wear.PRINT[names[-1]](picture, random)
    for chosen in random.sample(sorted(wear.PAPER), random.randint(0, 2)):
        names.append(chosen)
        picture = wear.PAPER[chosen](picture, random)
    if random.random() < 0.6:
        names.append("perspective")
        picture, matrix = wear.perspective(picture, random)
    else:
        names.append("skew")
        picture, matrix = wear.skew(picture, random, 2.5)
    for chosen in random.sample(sorted(wear.CAMERA), random.randint(1, 2)):
        names.append(chosen)
        picture = wear.CAMERA[chosen](picture, random)
    return wear.compress(picture, random.randint(45, 75)), matrix, (*names, "jpeg")


def _pair(made: str, forms: tuple[Layout, Layout], random: Random) -> Sample:
    """Two bills side by side on a desk."""
    pages = [_page(form, random) for form in forms]
    gap = 90
    width = sum(page.image.width for page in pages) + 3 * gap
    height = max(page.image.height for page in pages) + 2 * gap
    desk = np.full((height, width, 3), (92, 76, 60), np.uint8)
    documents, lines, x = [], [], gap
    for page in pages:
        shift = np.array([[1.0, 0, x], [0, 1, gap], [0, 0, 1]])
        desk[gap : gap + page.image.height, x : x + page.image.width] = pixels(page.image)
        documents.append(moved_document(page.document(), shift))
        lines += [_moved_line(line, shift) for line in page.lines()]
        x += page.image.width + gap
    picture = wear.compress(wear.shadow(desk, random), random.randint(60, 80))
    return Sample(made, "pair", "hard", picture, documents, lines, ("pair", "shadow", "jpeg"))


def moved_document(document: BillDocument, matrix: wear.Matrix) -> BillDocument:
    """The same with its boxes moved as the pixels were."""
    moved = document.model_copy(deep=True)
    places: list[Item] = [moved.fields, *moved.items]
    for cells in places:
        for cell in cells.values():
            if cell.box is None:
                continue
            box = cell.box
            quad = _apply(
                matrix,
                ((box.x, box.y), (box.x + box.width, box.y),
                 (box.x + box.width, box.y + box.height), (box.x, box.y + box.height)),
            )  # fmt: skip
            xs, ys = [p[0] for p in quad], [p[1] for p in quad]
            cell.box = rectangle((min(xs), min(ys), max(xs), max(ys)))
    return moved


def _moved_line(line: TextLine, matrix: wear.Matrix) -> TextLine:
    quad = _apply(matrix, line.corners)
    before = line.corners[1][0] - line.corners[0][0]
    after = float(np.hypot(quad[1][0] - quad[0][0], quad[1][1] - quad[0][1]))
    scale = after / before if before else 1.0
    return TextLine(line.text, quad, line.confidence, tuple(end * scale for end in line.ends))


def _apply(matrix: wear.Matrix, corners: Quadrilateral) -> Quadrilateral:
    points = np.array(corners, np.float64).reshape(-1, 1, 2)
    a, b, c, d = cv2.perspectiveTransform(points, matrix).reshape(-1, 2).tolist()
    return (a[0], a[1]), (b[0], b[1]), (c[0], c[1]), (d[0], d[1])
