"""A confirmed laboratory sheet as observations of the record, each with its box on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache

from pydantic import BaseModel, ConfigDict

from assistant.record.evidence import PageBox
from assistant.record.observation import Observation
from assistant.tasks.bill_ocr.document import BillDocument, DocumentKind, Item
from assistant.tasks.bill_ocr.labels import table_of
from knowledge.text.folding import fold

_FLAGS = {
    "↑": "high", "h": "high", "偏高": "high", "高": "high", "high": "high",
    "↓": "low", "l": "low", "偏低": "low", "低": "low", "low": "low",
    "n": "normal", "正常": "normal", "normal": "normal",
    "*": "abnormal", "异常": "abnormal", "阳性": "abnormal", "+": "abnormal",
    "abnormal": "abnormal",
}  # fmt: skip
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}(?::\d{2})?))?")
_WHEN = ("sampled_at", "received_at", "reported_at", "date")


class ObservedResult(BaseModel):
    """A result for the record, where it stands, and its LOINC code where that is known."""

    model_config = ConfigDict(frozen=True)

    observation: Observation
    evidence: PageBox | None = None
    loinc: str = ""
    specimen: str = ""


def observed(document: BillDocument, bill_id: str, attachments: list[str]) -> list[ObservedResult]:
    """The results of a laboratory sheet; [] for any other document.

    ``attachments`` are the pages, in the order of ``document.pages``.
    """
    if document.kind is not DocumentKind.LABORATORY_SHEET:
        return []
    return list(_results(document, bill_id, attachments))


def _results(
    document: BillDocument, bill_id: str, attachments: list[str]
) -> Iterator[ObservedResult]:
    at = _moment(document)
    specimen = document.fields["specimen"].value if "specimen" in document.fields else ""
    for number, item in enumerate(document.items, 1):
        name, value = _text(item, "name") or _text(item, "code"), _text(item, "value")
        if not name or not value:
            continue
        observation = Observation.model_validate(
            {
                "id": f"{bill_id}:{number}",
                "name": name,
                "value": value,
                "unit": _text(item, "unit"),
                "reference": _text(item, "range"),
                "flag": _FLAGS.get(fold(_text(item, "flag")).strip()),
                "at": at,
            }
        )
        yield ObservedResult(
            observation=observation,
            evidence=_evidence(document, item, attachments),
            loinc=_loinc().get(name_key(name), "")
            or _loinc().get(name_key(_text(item, "code")), ""),
            specimen=specimen,
        )


def _evidence(document: BillDocument, item: Item, attachments: list[str]) -> PageBox | None:
    cell = item["value"]
    if cell.box is None or cell.page not in document.pages:
        return None
    place = document.pages.index(cell.page)
    if place >= len(attachments):
        return None
    # Where it was corrected, the picture still shows what was read.
    return PageBox(
        quote=cell.text or cell.value,
        attachment_id=attachments[place],
        page=cell.page,
        **cell.box.model_dump(),
    )


def _moment(document: BillDocument) -> datetime | None:
    for field in _WHEN:
        cell = document.fields.get(field)
        found = _MOMENT.fullmatch(cell.value) if cell is not None else None
        if found is not None:
            try:
                return datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}")
            except ValueError:
                continue
    return None


def _text(item: Item, column: str) -> str:
    return item[column].value if column in item else ""


def _loinc_of(name: str) -> str:
    return _loinc().get(name_key(name), "")


@cache
def _loinc() -> dict[str, str]:
    return {
        name_key(word): code
        for code, words in (row[:2] for row in table_of("loinc.tsv"))
        for word in words.split("|")
    }


def name_key(name: str) -> str:
    """One spelling of a test's or a unit's name."""
    return re.sub(r"[\s\-_()]+", "", fold(name))
