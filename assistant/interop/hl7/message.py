"""An HL7 v2 message as segments, fields, repetitions and components (HL7 v2.5.1, chapter 2).

The text is split lazily, one segment at a time: a message may have many thousands of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from assistant.interop.charset import GB18030, decoded, named
from assistant.record.fields import ZONE

NULL = '""'
"""What takes a value away, where an empty field says nothing of it."""

_LINES = re.compile(r"\r\n|\r|\n")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_TIME = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.\d{1,4})?)?)?)?)?)?"
    r"([+-]\d{4})?"
)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class MessageInvalid(ValueError):
    """The bytes are no HL7 v2 message; the message says why, without any of them."""


@dataclass(frozen=True, slots=True)
class Separators:
    """The characters that MSH-1 and MSH-2 name."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


@dataclass(frozen=True, slots=True)
class Segment:
    """One line of a message."""

    name: str
    fields: tuple[str, ...]
    separators: Separators
    codec: str

    def raw(self, number: int) -> str:
        """Field ``number``, counted from 1, as written; "" where there is none."""
        return self.fields[number - 1] if 0 < number <= len(self.fields) else ""

    def text(self, number: int, component: int = 1) -> str:
        """The first repetition's component, without escapes; "" for none and for `NULL`."""
        return self.repetitions(number)[0].text(component)

    def whole(self, number: int) -> str:
        """The field as one text, all repetitions as lines: what TX and FT hold."""
        parts = self.raw(number).split(self.separators.repetition)
        lines = [unescaped(part, self.separators, self.codec) for part in parts if part != NULL]
        return "\n".join(lines).strip()

    def is_null(self, number: int) -> bool:
        """Whether the field takes its value away."""
        return self.raw(number) == NULL

    def repetitions(self, number: int) -> list[Repetition]:
        """The repetitions of a field; one without components where there is none."""
        raw = self.raw(number)
        return [
            Repetition(tuple(part.split(self.separators.component)), self.separators, self.codec)
            for part in raw.split(self.separators.repetition)
        ]


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of a field: its components."""

    components: tuple[str, ...]
    separators: Separators
    codec: str

    def text(self, component: int = 1) -> str:
        """A component's first subcomponent, without escapes."""
        if not 0 < component <= len(self.components):
            return ""
        raw = self.components[component - 1].partition(self.separators.subcomponent)[0]
        return "" if raw == NULL else unescaped(raw, self.separators, self.codec).strip()


@dataclass(frozen=True)
class Message:
    """A message: MSH first, then the others in their order."""

    header: Segment
    lines: tuple[str, ...]
    content: str
    codec: str

    def segments(self) -> Iterator[Segment]:
        """All segments; a line that is none, and Z segments with it, are given as they are."""
        for line in self.lines:
            yield segment(line, self.header.separators, self.codec)

    def first(self, name: str) -> Segment | None:
        """The first segment of this name."""
        return next((s for s in self.segments() if s.name == name), None)

    @property
    def code(self) -> str:
        """``ADT``, ``ORU``, ``MDM`` …"""
        return self.header.text(9, 1).upper()

    @property
    def trigger(self) -> str:
        """``A01``, ``R01`` …; of EVN-1 where MSH-9 has none, as before version 2.3."""
        found = self.header.text(9, 2).upper()
        event = self.first("EVN") if not found else None
        return found or (event.text(1).upper() if event else "")

    @property
    def kind(self) -> str:
        """``ADT^A01``"""
        return f"{self.code}^{self.trigger}" if self.trigger else self.code

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.text(10)

    @property
    def sender(self) -> str:
        """``MSH-3|MSH-4``"""
        return f"{self.header.text(3)}|{self.header.text(4)}"

    @property
    def without_time(self) -> str:
        """The content without MSH-7, which a sender may write anew when it sends again."""
        field = self.header.separators.field
        head = field.join((self.header.name, *self.header.fields[1:6], *self.header.fields[7:]))
        return "\r".join((head, *self.lines))

    @property
    def written_at(self) -> datetime | None:
        """MSH-7, with its zone, else the hospital's; None where it is no time."""
        found = moment(self.header.text(7))
        return found.replace(tzinfo=ZONE) if found and found.tzinfo is None else found


def read(data: bytes, default: str = "") -> Message:
    """The message in these bytes, without its frame.

    The encoding is what MSH-18 says, else ``default``, see `assistant.interop.charset`.

    Raises `MessageInvalid`.
    """
    stripped = data.strip(b"\r\n \t\x00")
    plain = stripped.removeprefix(b"\xef\xbb\xbf")
    if not plain.startswith(b"MSH") or len(plain) < 8:
        raise MessageInvalid("消息不以 MSH 段开头。(The message does not begin with MSH.)")
    found = decoded(stripped, _label(plain) or default)
    if found is None:
        raise MessageInvalid(
            "消息的编码既不是 UTF-8 也不是 GB18030。(The message is neither UTF-8 nor GB18030.)"
        )
    text, codec = found
    return parse(text.lstrip("\ufeff"), codec)


def parse(text: str, codec: str = "utf-8") -> Message:
    """The message that a decoded text is.  Raises `MessageInvalid`."""
    lines = tuple(line for line in _LINES.split(text) if line.strip())
    if not lines or not lines[0].startswith("MSH") or len(lines[0]) < 8:
        raise MessageInvalid("消息不以 MSH 段开头。(The message does not begin with MSH.)")
    head = lines[0]
    marks = head[4:].partition(head[3])[0]
    if head[3].isalnum() or not 1 <= len(marks) <= 5 or any(m.isalnum() for m in marks):
        raise MessageInvalid("MSH-1、MSH-2 的分隔符无效。(The separators in MSH are not valid.)")
    chosen = (head[3] + marks).ljust(5, "\0")[:5]
    if len(set(chosen.rstrip("\0"))) != len(chosen.rstrip("\0")):
        raise MessageInvalid("MSH-1、MSH-2 的分隔符重复。(A separator in MSH comes twice.)")
    separators = Separators(*chosen)
    header = segment(head, separators, codec)
    return Message(header, lines[1:], text, codec)


def segment(line: str, separators: Separators, codec: str) -> Segment:
    """One line as a segment; in MSH the separator itself is the first field."""
    name, _, rest = line.partition(separators.field)
    fields = tuple(rest.split(separators.field)) if rest else ()
    if name == "MSH":
        fields = (separators.field, *fields)
    return Segment(name.strip() if _NAME.fullmatch(name.strip()) else "", fields, separators, codec)


def moment(text: str) -> datetime | None:
    """HL7's DTM (``YYYYMMDD[HHMM[SS[.S]]][+ZZZZ]``) as a time; None for less than a day."""
    found = _TIME.fullmatch(text.strip())
    if found is None or found[3] is None:
        return None
    year, month, day = (int(found[n]) for n in (1, 2, 3))
    hour, minute, second = (int(found[n] or 0) for n in (4, 5, 6))
    try:
        made = datetime(year, month, day, hour, minute, min(second, 59))
        if found[7]:
            minutes = int(found[7][1:3]) * 60 + int(found[7][3:5])
            sign = -1 if found[7][0] == "-" else 1
            zone = timezone(sign * timedelta(minutes=minutes))
            made = made.replace(tzinfo=zone).astimezone(ZONE)
    except (ValueError, OverflowError):
        return None
    return made


def unescaped(text: str, separators: Separators, codec: str) -> str:
    r"""The text without its escapes: ``\F\``, ``\S\``, ``\T\``, ``\R\``, ``\E\``, ``\X..\`` (bytes
    in the message's encoding), ``\.br\`` and its kin; highlighting and what is not known go."""
    mark = separators.escape
    if mark == "\0" or mark not in text:
        return _UNPRINTABLE.sub("", text)
    parts = text.split(mark)
    out = [parts[0]]
    number = 1
    while number < len(parts):
        if number + 1 == len(parts):
            # A lone escape character is no escape.
            out.append(mark + parts[number])
            break
        character = _meaning(parts[number], separators, codec)
        if character is None:
            out.append(mark + parts[number])
            number += 1
            continue
        out.append(character + parts[number + 1])
        number += 2
    return _UNPRINTABLE.sub("", "".join(out))


_LAYOUT = re.compile(r"\.(br|sp|ce|fi|nf|in|ti|sk)([+-]?\d{0,3})")
_CODE_PAGE = re.compile(r"[CM][0-9A-Fa-f]{4,6}|Z[\w]*|[HN]")
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")


def _meaning(code: str, separators: Separators, codec: str) -> str | None:
    """What an escape stands for; None where it is none."""
    simple = {
        "F": separators.field,
        "S": separators.component,
        "T": separators.subcomponent,
        "R": separators.repetition,
        "E": separators.escape,
    }
    if code in simple:
        return simple[code].replace("\0", "")
    if found := _HEX.fullmatch(code):
        data = bytes.fromhex(found[1])
        codecs = (codec, "utf-8", GB18030)
        for trial in codecs:
            try:
                return data.decode(trial)
            except UnicodeDecodeError:
                continue
        return ""
    if found := _LAYOUT.fullmatch(code):
        if found[1] == "sk":
            return " "
        return "\n" if found[1] in ("br", "sp", "ce") else ""
    return "" if _CODE_PAGE.fullmatch(code) else None


def _label(data: bytes) -> str:
    """MSH-18 as written; "" where there is none.  MSH-18 is ASCII, whatever is around it."""
    line = re.split(rb"[\r\n]", data, maxsplit=1)[0]
    fields = line.split(line[3:4])
    label = fields[17] if len(fields) > 17 else b""
    first = re.split(rb"[~^]", label)[0]
    return named(first.decode("ascii", "ignore"))
