"""What a cut-out line says: a network's characters a column, and their places in the line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from serving.ocr.alphabet import FIGURES, MEASURES
from serving.ocr.cropping import HEIGHT
from serving.ocr.network import Bytes, Network

# Fewer widths are fewer shapes that the plugin has to prepare for.
_WIDTHS = (
    *range(64, 320, 32),
    *range(320, 641, 64),
    *range(768, 1281, 128),
    1600,
    2000,
    2600,
    3400,
)
# Rarer than this the right figure is not among them; more would let sums come out by chance.
_POSSIBLE = 0.03
# Of measure words alone one is meant that is so likely, and so many times likelier than another.
_SEEN, _CLEARLY = 0.002, 10.0
_PIXELS = 1_280
_LARGEST_BATCH = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one line: its characters, how sure each is, and where each ends, as a part
    of the line's length."""

    text: str
    sureness: tuple[float, ...] = ()
    ends: tuple[float, ...] = ()
    at_most: float = 1.0
    others: tuple[str, ...] = ()
    """What else the same line was read as."""

    @property
    def mean(self) -> float:
        """How sure the characters are on average; 0 where there are none."""
        return float(np.mean(self.sureness)) if self.sureness else 0.0

    @property
    def least(self) -> float:
        """How sure the least sure character is that is no mere punctuation."""
        counted = [
            sure
            for character, sure in zip(self.text, self.sureness, strict=True)
            if character in ".,-" or unicodedata.category(character)[0] not in "PZ"
        ]
        return min(counted, default=self.mean)

    @property
    def confidence(self) -> float:
        """How sure the line is: as sure as its least sure character, in a number each counts."""
        return min(self.least, self.at_most)

    def capped(self, most: float) -> Reading:
        """This reading with a confidence of at most ``most``."""
        return replace(self, at_most=most)


def best_of_each(model: Any, weights: NDArray[np.float32], watched: Sequence[int] = (0,)) -> Any:
    """``model`` with three small outputs, the likeliest class of each column, how likely it is, and
    how likely each of the classes ``watched`` is, in the place of the table of all 18,710.

    ``weights`` [classes] are added to the logits: the logarithm of how much likelier each class is
    beforehand.
    """
    from openvino import Model
    from openvino import opset13 as ops

    chances = model.output(0).get_node().input_value(0).get_node()
    while chances.get_type_name() != "Softmax":
        chances = chances.input_value(0).get_node()
    weighed = ops.softmax(ops.add(chances.input_value(0), weights[None, None]), axis=2)
    best = ops.topk(weighed, np.int64(1), axis=2, mode="max", sort="none")
    among = ops.gather(weighed, np.array(watched, np.int64), np.int64(2))
    outputs = [best.output(0), best.output(1), among.output(0)]
    return Model(outputs, model.get_parameters(), "recognition")


class Recogniser:
    """Reads cut-out lines in batches of like width."""

    def __init__(self, network: Network, characters: Sequence[str]) -> None:
        self._network = network
        self._characters = characters

    def read(self, lines: Sequence[Bytes], *, others: bool = False) -> list[Reading]:
        """What each line [48, W, 3] says, in the order given; ``others``: and what else the
        network holds possible, a figure otherwise."""
        readings: list[Reading] = [Reading("")] * len(lines)
        plans = list(_plan([line.shape[1] for line in lines]))
        batches = (_stacked([lines[index] for index in chosen], width) for width, chosen in plans)
        for (width, chosen), (sure, classes, watched) in zip(
            plans, self._network.each(batches), strict=True
        ):
            for place, index in enumerate(chosen):
                columns = width / sure.shape[1]
                readings[index] = decode(
                    classes[place, :, 0],
                    sure[place, :, 0],
                    self._characters,
                    columns / min(lines[index].shape[1], width),
                )
                if others:
                    also = choices(classes[place, :, 0], watched[place], self._characters)
                    if len(readings[index].text) == 1:
                        also = (*also, *measure(watched[place]))
                    readings[index] = replace(readings[index], others=also)
        return readings


def decode(
    classes: NDArray[np.integer],
    sure: NDArray[np.floating],
    characters: Sequence[str],
    column: float,
) -> Reading:
    """The text of one row of columns (CTC: repeats are one character, blanks part them).

    ``column``: how much of the line's length one column covers.
    """
    kept = [run for run in runs_of(classes) if run[0] != 0]
    return Reading(
        "".join(characters[number] for number, _, _ in kept),
        tuple(float(sure[begin:stop].max()) for _, begin, stop in kept),
        _ends([(begin, stop) for _, begin, stop in kept], column),
    )


def runs_of(classes: NDArray[np.integer]) -> list[tuple[int, int, int]]:
    """(class, first column, column behind) of each stretch of one class; class 0 is none."""
    fresh = np.ones(len(classes), bool)
    fresh[1:] = classes[1:] != classes[:-1]
    begins = np.flatnonzero(fresh)
    stops = np.append(begins[1:], len(classes))
    return [
        (int(classes[begin]), int(begin), int(stop))
        for begin, stop in zip(begins, stops, strict=True)
    ]


def choices(
    classes: NDArray[np.integer], figures: NDArray[np.floating], characters: Sequence[str]
) -> tuple[str, ...]:
    """The texts with one figure otherwise that the network holds possible, likeliest first.

    ``figures`` [columns, at least 1 + `FIGURES`]: how likely none and each figure is.  A figure
    may be another, may be none, or may stand where none was read.
    """
    runs = runs_of(classes)
    texts = ["" if number == 0 else characters[number] for number, _, _ in runs]
    found: dict[str, float] = {}
    for at, (number, begin, stop) in enumerate(runs):
        likely = figures[begin:stop].max(axis=0)
        if number:
            # A character is none only where none of its columns holds it.
            likely[0] = figures[begin:stop, 0].min()
        for place, also in enumerate(("", *FIGURES)):
            chance = float(likely[place])
            # The rim of a figure is no second one.
            near = texts[at] == "" and also in (*texts[at - 1 : at], *texts[at + 1 : at + 2])
            if chance >= _POSSIBLE and also != texts[at] and not near:
                text = "".join((*texts[:at], also, *texts[at + 1 :]))
                found[text] = max(chance, found.get(text, 0.0))
    return tuple(sorted(found, key=lambda text: -found[text]))


def measure(watched: NDArray[np.floating]) -> tuple[str, ...]:
    """The measure word that a single character is if it is one; () where it is not clear.

    ``watched`` [columns, `WATCHED`]: how likely each is.
    """
    likely = watched[:, -len(MEASURES) :].max(axis=0)
    second, best = np.argsort(likely)[-2:]
    clear = likely[best] >= max(_SEEN, _CLEARLY * float(likely[second]))
    return (MEASURES[best],) if clear else ()


def _ends(spans: Sequence[tuple[int, int]], column: float) -> tuple[float, ...]:
    """Where characters end: midway between the columns that two neighbours were seen in."""
    last = [(stop - 1 + following[0]) / 2 for (_, stop), following in pairwise(spans)]
    if spans:
        before = last[-1] if last else 0.0
        middle = (spans[-1][0] + spans[-1][1] - 1) / 2
        last.append(max(spans[-1][1] - 1, 2 * middle - before))
    return tuple(min(1.0, (place + 0.5) * column) for place in last)


def _plan(widths: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """(width, indexes of the lines) of each batch: widest first, so that the end is short."""
    buckets: dict[int, list[int]] = {}
    for index, width in enumerate(widths):
        bucket = next((step for step in _WIDTHS if width <= step), _WIDTHS[-1])
        buckets.setdefault(bucket, []).append(index)
    for bucket in sorted(buckets, reverse=True):
        waiting = buckets[bucket]
        largest = 1
        while largest < _LARGEST_BATCH and largest * bucket < _PIXELS:
            largest *= 2
        while waiting:
            count = largest
            while count > len(waiting):
                count //= 2
            yield bucket, waiting[:count]
            waiting = waiting[count:]


def _stacked(lines: Sequence[Bytes], width: int) -> Bytes:
    batch = np.empty((len(lines), HEIGHT, width, 3), np.uint8)
    for place, line in enumerate(lines):
        if line.shape[1] > width:
            line = cv2.resize(line, (width, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8)
        batch[place, :, : line.shape[1]] = line
        # Paper goes on behind the text: an edge there was measured to cost punctuation.
        batch[place, :, line.shape[1] :] = _paper(line)
    return batch


def _paper(line: Bytes) -> Bytes:
    """The colour of what a line is printed on: most of a line is lighter than its ink, or darker
    where light ink is on a dark ground."""
    seen = np.sort(line[::6, ::8].reshape(-1, 3), axis=0)
    ground = seen[len(seen) // 2]
    paper: Bytes = seen[round((len(seen) - 1) * (0.8 if ground.mean() > 100 else 0.2))]
    return paper
