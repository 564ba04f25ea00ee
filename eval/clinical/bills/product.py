"""A generated picture as the product reads it: opened, righted, read, structured, checked."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image

from assistant.tasks.bill_ocr.page import opened_pages
from assistant.tasks.bill_ocr.reading import read_pages
from eval.clinical.bills.generator.sets import SetName, sample
from eval.clinical.bills.score import Score, characters, score
from serving.ocr.line import TextLine


@dataclass(frozen=True, slots=True)
class Asked:
    """One picture of a set."""

    set: SetName
    number: int
    seed: int


class BillReader:
    """For `structuring.workers.team`: makes a picture, reads it and scores the reading."""

    made_of = "bills"

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def work(self, item: Asked) -> str:
        """The score of one picture as JSON."""
        made = sample(item.set, item.number, item.seed)
        data = io.BytesIO()
        Image.fromarray(made.image).save(data, "PNG")
        pages = opened_pages(data.getvalue(), f"{made.id}.png", threads=self._threads)
        found = score(made.documents, read_pages(pages))
        lines = [
            TextLine(line.text, _back(page.to_original, line), line.confidence, line.ends)
            for page in pages
            for line in page.lines
        ]
        found.characters, found.character_errors = characters(made.lines, lines)
        whole: dict[str, Any] = {"id": made.id, "layout": made.layout, "wear": made.wear}
        return json.dumps(whole | {"set": item.set, "score": asdict(found)}, ensure_ascii=False)


def _back(to_original: Any, line: TextLine) -> Any:
    return tuple(to_original(x, y) for x, y in line.corners)


def open_reader(threads: int) -> BillReader:
    """For `structuring.workers.team`."""
    return BillReader(threads)


def as_score(content: dict[str, Any]) -> Score:
    """The score that `BillReader.work` wrote."""
    from eval.clinical.bills.score import Wrong

    return Score(**{**content, "wrong": [Wrong(**one) for one in content["wrong"]]})
