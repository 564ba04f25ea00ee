"""Reading a page: where its lines stand and what they say."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.ocr import arithmetic, detection, models
from serving.ocr.alphabet import FIGURES, MEASURES, mended, prior, without_rule
from serving.ocr.cropping import HEIGHT, along_text, cut, stands
from serving.ocr.detection import Box, sides
from serving.ocr.line import TextLine
from serving.ocr.network import Bytes, Network, Numbers, takes_bytes
from serving.ocr.orientation import OrientationClassifier
from serving.ocr.reading_order import order
from serving.ocr.recognition import Reading, Recogniser, best_of_each
from serving.ocr.second_reading import read_again

_LONGEST = 1_280
# Lines that are lower than this where they are looked for are looked for again, larger.
_LOW, _LARGER = 13.0, 2_048
_LEAST = 0.3
# Of the usual height of a line: a single character may be a title's.
_ONE_LINE = 1.5
_TRIAL = (4, HEIGHT, 320, 3)
_FINDING_TRIAL = (1, 384, 384, 3)


class Ocr:
    """A reader of pages on this processor; several threads may use one."""

    def __init__(
        self, numbers: Numbers | None = None, threads: int = 0, kept: Path | None = None
    ) -> None:
        """Compile the networks (about a second; the first time on a processor, twice that).

        ``numbers``: None measures which are quickest and remembers it in ``kept``
        (``BEDSIDE_HOME``); "int8" is for finding lines alone, they are read in the quickest;
        ``threads``: 0 means every core that this process may use.

        Raises:
            OcrUnavailable: the models are missing or damaged.
        """
        self.threads = threads or len(os.sched_getaffinity(0))
        recognition = models.read("recognition")
        characters = models.characters(recognition)
        exact = takes_bytes(models.read("detection"))
        eight = models.read_eight_bits()
        watched = [0, *(characters.index(one) for one in FIGURES + MEASURES)]
        reading = takes_bytes(best_of_each(recognition, prior(characters), watched))
        trial = np.zeros(_TRIAL, np.uint8)

        def run(choice: Numbers) -> Callable[[], object]:
            network = Network(reading, choice, 1, self.threads)
            return lambda: network.run(trial)

        def find(choice: Numbers) -> Callable[[], object]:
            network = Network(eight if choice == "int8" else exact, choice, 1, self.threads)
            return lambda: network.run(np.zeros(_FINDING_TRIAL, np.uint8))

        kept = kept or arithmetic.kept_in()
        asked = None if numbers == "int8" else numbers
        self.numbers = asked or arithmetic.chosen(run, kept)
        choices: tuple[Numbers, ...] = arithmetic.CHOICES
        if eight is not None:
            choices = (*choices, "int8")
        self.finding_numbers = numbers or arithmetic.chosen(
            find, kept, choices, "lines of pages are found"
        )
        self._finding = eight if self.finding_numbers == "int8" else exact
        self._recogniser = Recogniser(
            Network(reading, self.numbers, self.threads, self.threads), characters
        )
        # One page: all cores on its one batch.
        self._detection = Network(self._finding, self.finding_numbers, 1, self.threads)

    @cached_property
    def _detection_of_many(self) -> Network:
        """Many pages: a core each, which no waiting for one another slows."""
        return Network(self._finding, self.finding_numbers, self.threads, self.threads)

    @cached_property
    def _orientation(self) -> OrientationClassifier:
        model = takes_bytes(models.read("orientation"))
        return OrientationClassifier(Network(model, "f32", 1, self.threads))

    def read(self, image: Bytes) -> list[TextLine]:
        """The lines of an upright page (uint8 [H, W, 3], RGB), in reading order."""
        return self._read(image, self._detection)

    def read_many(self, images: Iterable[Bytes]) -> Iterator[list[TextLine]]:
        """The lines of each page, in the order given; a few pages are in memory at once."""
        network = self._detection_of_many
        waiting: deque[Future[list[TextLine]]] = deque()
        with ThreadPoolExecutor(self.threads, thread_name_prefix="ocr") as workers:
            try:
                for image in images:
                    waiting.append(workers.submit(self._read, image, network))
                    while len(waiting) > self.threads + 1:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def boxes(self, image: Bytes, longest: int) -> list[Box]:
        """Where lines stand, in no order, with the page looked at ``longest`` pixels long."""
        return detection.find(self._detection, image, longest)

    def recognise(self, lines: Sequence[Bytes]) -> list[Reading]:
        """What cut-out lines [48, W, 3] say."""
        return self._recogniser.read(lines)

    def read_boxes(self, image: Bytes, boxes: Sequence[Box]) -> list[Reading]:
        """What stands in each box of ``image``."""
        return self._recogniser.read([cut(image, box) for box in boxes])

    def upside_down(self, lines: Sequence[Bytes]) -> NDArray[np.bool_]:
        """For each cut-out line, whether it stands on its head."""
        return self._orientation.upside_down(lines)

    def _read(self, image: Bytes, network: Network) -> list[TextLine]:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ValueError(f"a page is uint8 [H, W, 3], not {image.dtype} {image.shape}")
        image = np.ascontiguousarray(image)
        boxes, readings = self._narrow_ones_too(image, _find(network, image))
        read_again(image, boxes, readings, self._recogniser)
        kept = [at for at, reading in enumerate(readings) if reading.mean >= _LEAST]
        ordered = order([boxes[at] for at in kept])
        return [_line(boxes[kept[at]], readings[kept[at]]) for at in ordered]

    def _narrow_ones_too(
        self, image: Bytes, boxes: Sequence[Box]
    ) -> tuple[list[Box], list[Reading]]:
        """Boxes that begin where their text does, and what they say.

        A narrow box is a lone figure if it is no higher than a line; a higher one is read both
        ways, and what is surer is meant.
        """
        lying = [sides(box)[1] for box in boxes if not stands(box)]
        line = float(np.median(lying)) if lying else 0.0
        chosen = [box if sides(box)[1] <= line * _ONE_LINE else along_text(box) for box in boxes]
        readings = self.read_boxes(image, chosen)
        turned = [at for at, box in enumerate(boxes) if chosen[at] is not box]
        upright = self.read_boxes(image, [boxes[at] for at in turned])
        for at, reading in zip(turned, upright, strict=True):
            if reading.mean > readings[at].mean:
                chosen[at], readings[at] = boxes[at], reading
        return chosen, readings


def _find(network: Network, image: Bytes) -> list[Box]:
    found = detection.find(network, image, _LONGEST)
    longest = max(image.shape[:2])
    if found and longest > _LONGEST:
        low = float(np.median([min(sides(box)) for box in found])) * _LONGEST / longest
        if low < _LOW:
            return detection.find(network, image, _LARGER)
    return found


def _line(box: Box, reading: Reading) -> TextLine:
    along, _ = sides(box)
    corners = tuple((float(x), float(y)) for x, y in box)
    text = without_rule(mended(reading.text))
    others = dict.fromkeys(without_rule(mended(other)) for other in reading.others)
    return TextLine(
        text,
        (corners[0], corners[1], corners[2], corners[3]),
        round(reading.confidence, 4),
        tuple(round(end * along, 1) for end in reading.ends[: len(text)]),
        tuple(other for other in others if other != text),
    )


_opening = threading.Lock()
_opened: dict[Any, Ocr] = {}


def default_ocr() -> Ocr:
    """The reader of this process, made when first asked for.

    Raises:
        OcrUnavailable: the models are missing or damaged.
    """
    with _opening:
        # By process: requests do not live on in a forked worker.
        if os.getpid() not in _opened:
            _opened.clear()
            _opened[os.getpid()] = Ocr()
        return _opened[os.getpid()]
