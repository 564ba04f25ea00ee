"""The findings of the curated vocabulary in a text, each with how the text means it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from knowledge.clinical.matcher import Matcher
from knowledge.clinical.results import Patient, ResultReader
from knowledge.clinical.vocabulary import Vocabulary, vocabulary
from knowledge.ranking.demographics import Sex
from knowledge.text.assertion.engine import read_assertions
from knowledge.text.assertion.status import Assertion
from knowledge.text.assertion.wordings import WELL
from knowledge.text.document import Document
from knowledge.text.finding import Certainty, Experiencer, Finding, Polarity, Span, Temporality
from knowledge.text.folding import fold
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind

_KINDS = {"symptom": TermKind.SYMPTOM, "sign": TermKind.SIGN, "history": TermKind.DISEASE}


@dataclass(frozen=True, slots=True)
class _Place:
    """A finding at a stretch of the text, and the pieces whose assertion decides it."""

    name: str
    start: int
    end: int
    pieces: tuple[tuple[int, int], ...]


class ClinicalReader:
    """Reads the findings of one vocabulary.  Safe to use from several threads."""

    def __init__(self, known: Vocabulary) -> None:
        self._known = known
        self._matcher = Matcher()
        for finding in known.findings.values():
            for wording in finding.wordings:
                self._matcher.add(finding.name, wording)
        self._results = ResultReader(known)

    def named(self, wording: str) -> set[str]:
        """The findings of which this is a whole wording."""
        return self._matcher.names(fold(wording))

    def read(
        self,
        text: str,
        note_id: str,
        *,
        lead: str = "",
        age_years: float | None = None,
        sex: Sex | None = None,
    ) -> list[Finding]:
        """The findings of ``text`` in text order; several may share a place.

        ``lead`` is read before the text and stands in no offset.
        """
        found = self._read(lead + text, note_id, age_years, sex)
        if not lead:
            return found
        return [
            f.model_copy(update={"span": f.span.shifted(-len(lead))})
            for f in found
            if f.span.start >= len(lead)
        ]

    def _read(
        self, text: str, note_id: str, age_years: float | None, sex: Sex | None
    ) -> list[Finding]:
        document = Document(text)
        places = [
            _Place(hit.name, hit.start, hit.end, hit.parts)
            for hit in self._matcher.find(document.folded)
        ]
        said = self._assertions(document, places)
        found = [
            _finding(text, note_id, place, assertion)
            for place, assertion in zip(places, said, strict=True)
        ]
        for result in self._results.read(document.folded, text, Patient(age_years, sex)):
            place = _Place(result.finding, result.start, result.end, ())
            polarity = Polarity.PRESENT if result.present else Polarity.ABSENT
            found.append(_finding(text, note_id, place, Assertion(polarity)))
        return sorted(found, key=lambda f: (f.span.start, f.span.end))

    def _assertions(self, document: Document, places: Sequence[_Place]) -> list[Assertion]:
        """How each place is meant: denied if the first or the last of its pieces is."""
        pieces: dict[tuple[int, int], TermKind] = {}
        ends = [
            (_asserted(document.folded, p.pieces[0]), _asserted(document.folded, p.pieces[-1]))
            for p in places
        ]
        for place, both in zip(places, ends, strict=True):
            kind = _KINDS.get(self._known.kind(place.name) or "", TermKind.SIGN)
            for piece in both:
                pieces.setdefault(piece, kind)
        said: dict[tuple[int, int], Assertion] = {}
        for layer in _layers(pieces):
            matches = [Match(a, b, document.text[a:b], pieces[a, b]) for a, b in layer]
            said |= dict(zip(layer, read_assertions(document, matches), strict=True))
        return [_worse(said[first], said[last]) for first, last in ends]


def _asserted(folded: str, piece: tuple[int, int]) -> tuple[int, int]:
    """The piece without a last word that says that all is well: where a finding is that
    something is normal (冠脉造影正常), its wording denies nothing."""
    start, end = piece
    well = WELL.search(folded, start, end)
    return (start, well.start()) if well and well.start() > start else piece


def _layers(pieces: Iterable[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """The pieces in layers of which none overlap; the longest of a place come first."""
    layers: list[list[tuple[int, int]]] = []
    for piece in sorted(pieces, key=lambda p: (p[0], -p[1])):
        for layer in layers:
            if layer[-1][1] <= piece[0]:
                layer.append(piece)
                break
        else:
            layers.append([piece])
    return layers


def _worse(first: Assertion, last: Assertion) -> Assertion:
    """The more cautious of what is said of both ends of a wording."""
    if first is last:
        return first
    return Assertion(
        Polarity.ABSENT if Polarity.ABSENT in (first.polarity, last.polarity) else Polarity.PRESENT,
        Certainty.UNCERTAIN
        if Certainty.UNCERTAIN in (first.certainty, last.certainty)
        else Certainty.CERTAIN,
        last.temporality if last.temporality is not Temporality.CURRENT else first.temporality,
        last.experiencer if last.experiencer is not Experiencer.PATIENT else first.experiencer,
    )


def _finding(text: str, note_id: str, place: _Place, said: Assertion) -> Finding:
    return Finding(
        text=text[place.start : place.end],
        concept=place.name,
        span=Span(note_id=note_id, start=place.start, end=place.end),
        polarity=said.polarity,
        certainty=said.certainty,
        temporality=said.temporality,
        experiencer=said.experiencer,
    )


@lru_cache(maxsize=1)
def clinical_reader() -> ClinicalReader:
    """The reader of the vocabulary that ships with the product."""
    return ClinicalReader(vocabulary())
