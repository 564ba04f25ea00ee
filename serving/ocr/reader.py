"""Reading a page: where its lines stand and what they say."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from serving.ocr import detection, models
from serving.ocr.cropping import along_text, cut
from serving.ocr.detection import Box, sides
from serving.ocr.alphabet import mended, prior
from serving.ocr.line import TextLine
from serving.ocr.network import Bytes, Network, Numbers, takes_bytes
from serving.ocr.reading_order import order
from serving.ocr.recognition import Reading, Recogniser, best_of_each

_LONGEST = 1_280
_LEAST = 0.3


class Ocr:
    """A reader of pages on this processor; several threads may use one."""

    def __init__(self, numbers: Numbers = "f32", threads: int = 0) -> None:
        """Compile the networks (about a second).

        ``threads``: 0 means every core that this process may use.

        Raises:
            OcrUnavailable: the models are missing or damaged.
        """
        threads = threads or len(os.sched_getaffinity(0))
        found = takes_bytes(models.read("detection"))
        read = models.read("recognition")
        characters = models.characters(read)
        self._detection = Network(found, numbers, 1, threads)
        self._recognition = Network(
            takes_bytes(best_of_each(read, prior(characters))), numbers, threads, threads
        )
        self._recogniser = Recogniser(self._recognition, characters)

    def read(self, image: Bytes) -> list[TextLine]:
        """The lines of an upright page (uint8 [H, W, 3], RGB), in reading order."""
        image = np.ascontiguousarray(image)
        boxes = detection.find(self._detection, image, _LONGEST)
        boxes = [along_text(box) for box in boxes]
        readings = self._recogniser.read([cut(image, box) for box in boxes])
        kept = [at for at, reading in enumerate(readings) if reading.confidence >= _LEAST]
        ordered = order([boxes[at] for at in kept])
        return [_line(boxes[kept[at]], readings[kept[at]]) for at in ordered]

    def read_many(self, images: Iterable[Bytes]) -> Iterator[list[TextLine]]:
        """The lines of each page, in the order given."""
        for image in images:
            yield self.read(image)


def _line(box: Box, reading: Reading) -> TextLine:
    along, _ = sides(box)
    corners = tuple((float(x), float(y)) for x, y in box)
    return TextLine(
        mended(reading.text),
        (corners[0], corners[1], corners[2], corners[3]),
        round(reading.confidence, 4),
        tuple(round(end * along, 1) for end in reading.ends),
    )


_opening = threading.Lock()
_opened: list[Ocr] = []


def default_ocr(kept: Path | None = None) -> Ocr:
    """The reader of this process, made when first asked for.

    Raises:
        OcrUnavailable: the models are missing or damaged.
    """
    with _opening:
        if not _opened:
            _opened.append(Ocr())
        return _opened[0]
