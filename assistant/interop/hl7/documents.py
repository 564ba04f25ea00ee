"""MDM: a document's text, and what becomes of an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from assistant.interop.fhir.mapping import Mapping
from assistant.interop.hl7.message import Message, Segment, moment
from assistant.interop.hl7.results import content, named
from assistant.interop.hl7.table import rows


@dataclass(frozen=True, slots=True)
class Document:
    """A note; ``key`` is its unique number, ``replaces`` that of the one before it."""

    key: str
    title: str
    kind: str
    text: str
    at: datetime | None
    author: str
    replaces: str = ""
    addendum: bool = False
    removed: bool = False


def document(message: Message, mapping: Mapping) -> Document | None:
    """The document of an MDM message; None where no TXA says which it is, and for one that is still
    being written, which changes nothing yet."""
    header = message.first("TXA")
    if header is None:
        return None
    key = header.text(12) or header.text(14) or message.control_id
    # Of OBX: what says what the note is; of TXA-2: a code or words.
    observed = [s for s in message.segments() if s.name == "OBX"]
    title = header.text(2, 2) or _title(observed, mapping) or header.text(16) or header.text(2)
    text = "\n".join(t for one in observed if (t := content(one)))
    table = rows()
    states = (header.text(17).upper(), header.text(19).upper())
    removed = message.trigger == "T11" or states[1] in ("CA", "OB", "UN")
    if states[0] not in table["finished"] and not removed:
        return None
    by_type = table["document_types"].get(header.text(2).upper(), "other")
    return Document(
        key=key,
        title=title,
        kind=mapping.kind("note_titles", title, "") or by_type,
        text=text,
        at=moment(header.text(4)) or moment(header.text(6)) or message.written_at,
        author=_person(header, 9) or _person(header, 5),
        replaces=header.text(13) if message.trigger in ("T06", "T10") else "",
        addendum=message.trigger == "T06",
        removed=removed,
    )


def _title(observed: list[Segment], mapping: Mapping) -> str:
    return next((name for one in observed if (name := named(one, 3, mapping))), "")


def _person(segment: Segment, number: int) -> str:
    """The name of an XCN, else its id."""
    one = segment.repetitions(number)[0]
    family, given = one.text(2), one.text(3)
    name = f"{family}{given}" if not (family + given).isascii() else f"{given} {family}".strip()
    return name or one.text(1)
