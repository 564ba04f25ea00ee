"""One file read from end to end: what the command and its processes do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.tasks.bill_ocr.document import BillDocument
from assistant.tasks.bill_ocr.page import opened_pages
from assistant.tasks.bill_ocr.reading import read_pages

SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".png", ".tif", ".tiff", ".heic", ".heif", ".pdf", ".bmp", ".webp"]
)
VERSION = "bills 1"
"""What a file of results was made by; results of another version are not added to it."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The documents of a file and what its pages look like; ``problem`` where it was refused."""

    documents: list[BillDocument]
    likeness: list[str]
    problem: str = ""

    def as_json(self) -> str:
        """For another process."""
        documents = [document.model_dump(mode="json") for document in self.documents]
        whole = {"documents": documents, "likeness": self.likeness, "problem": self.problem}
        return json.dumps(whole, ensure_ascii=False)


def read_file(path: Path, patient: str = "", *, threads: int = 0) -> ReadFile:
    """The documents of one file; a file that is refused has none, and a sentence."""
    from serving.ocr.refusal import PageRefused

    try:
        pages = opened_pages(path, path.name, threads=threads)
    except PageRefused as error:
        return ReadFile([], [], str(error))
    return ReadFile(read_pages(pages, patient=patient), [page.likeness for page in pages])


def files_of(path: Path) -> Sequence[Path]:
    """The pictures and PDFs of a folder and its folders, by name; a file alone."""
    if path.is_file():
        return [path]
    return sorted(
        one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file()
    )


class FileReader:
    """What a process of a folder's run works with (see `structuring.workers.Opened`)."""

    made_of = VERSION

    def __init__(self, patient: str, threads: int) -> None:
        self._patient, self._threads = patient, threads

    def work(self, item: str) -> str:
        """The result for the file at this path."""
        try:
            return read_file(Path(item), self._patient, threads=self._threads).as_json()
        except OSError as error:
            return ReadFile([], [], f"读不了这个文件（{type(error).__name__}）。").as_json()


def open_reader(patient: str, threads: int) -> FileReader:
    """For `structuring.workers.team`."""
    return FileReader(patient, threads)
