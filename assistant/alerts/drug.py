"""A drug of a record: ordered, taken home, or given by a note."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from assistant.record.evidence import TextSpan
from assistant.record.medication import Medication
from knowledge.text.drugs import generic_name

_ONCE = re.compile(
    r"首剂|立即|即刻|临时|术前|术中|切皮|化疗前|第\d天|(?<![a-z])st(?![a-z])|^(?:1|一)次"
)
_STOPPED = re.compile(r"已停(?:用|药|止)?")
"""What a row from elsewhere says (as FHIR's status ``stopped``) that has no day of stopping."""
_LOCAL = re.compile(r"外用|滴眼|滴耳|滴鼻|眼用|眼膏|软膏|乳膏|乳胶剂|贴膏|搽剂|洗剂|含漱|漱口|阴道")
_THROUGH_THE_SKIN = re.compile(r"透皮|芬太尼|硝酸甘油|雌二醇|丁丙诺啡")
_AGAIN = re.compile(r"每|q\d|[qbt]id|qd")


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug that is ordered, taken home, or given by a note (``row`` is None then)."""

    name: str
    generic: str
    classes: frozenset[str]
    evidence: TextSpan
    row: Medication | None = None
    home: bool = False

    def is_over(self, at: datetime | None) -> bool:
        """Whether it was stopped on a day before this moment."""
        stop = self.row.stop if self.row is not None else None
        return stop is not None and at is not None and stop < at.date()

    @property
    def is_local(self) -> bool:
        """Whether it acts where it is put, and hardly elsewhere: eye drops, an ointment."""
        if self.row is None:
            return False
        words = f"{self.row.name} {self.row.route}"
        return bool(_LOCAL.search(words)) and not _THROUGH_THE_SKIN.search(words)

    def overlaps(self, other: Drug) -> bool:
        """Whether both are given at one time, as far as their rows tell; what is taken home is
        not given together with what the ward gave."""
        if self.row is None or other.row is None:
            return True
        if self.home != other.home:
            return False
        first, second = (d.start for d in (self.row, other.row))
        last, end = (d.stop for d in (self.row, other.row))
        return not (
            (first is not None and end is not None and end < first)
            or (second is not None and last is not None and last < second)
        )

    @property
    def is_once(self) -> bool:
        """Whether it is one dose, such as a loading dose."""
        if self.row is None or self.home:
            return False
        often = self.row.frequency.lower()
        alone = self.row.start is not None and self.row.start == self.row.stop
        return alone or bool(_ONCE.search(often) and not _AGAIN.search(often))


_SALT = re.compile(r"(?<=..)(?:[钙钠镁钾锌]|氯化钠|叔丁胺|精氨酸)\Z")


def ingredient(name: str) -> str:
    """The ingredient of a product: notes leave out its salt (阿托伐他汀钙片: 阿托伐他汀)."""
    generic = generic_name(name)
    return generic if "氯化" in generic or "酸" in generic else _SALT.sub("", generic)


def is_said_to_be_stopped(row: Medication) -> bool:
    """Whether a row without a day of stopping says that it is stopped."""
    return row.stop is None and _STOPPED.search(row.frequency) is not None
