"""From what sources list as symptoms to the concepts of the base.

Sources write symptoms as loose phrases (伴呼吸音减弱及支气管肺泡呼吸音等) among organs, germs and
complications.  A phrase becomes the concepts it names: by the synonym table, else by itself when
it is a plain term, else by the plain terms found inside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from functools import lru_cache
from importlib.resources import files

from knowledge.text.folding import fold
from knowledge.text.lexicon import Lexicon
from knowledge.text.synonyms import SynonymTable, TermKind

PLAIN_LENGTH = 8  # a longer phrase is a sentence, not a term
_SPLIT = re.compile(r"[、,;。/()]|以及|及|和|与|或|伴有|伴|合并|并|等")
_DENIAL = re.compile(r"无|未|不伴|没有|否认|阴性|正常")


@lru_cache(maxsize=1)
def _phrase_words() -> Mapping[str, tuple[str, ...]]:
    """The words of ``data/phrase_words.tsv`` by their place, the longer first."""
    text = (files("knowledge") / "data" / "phrase_words.tsv").read_text(encoding="utf-8")
    rows = [row.split("\t") for row in text.splitlines() if row and not row.startswith("#")]
    return {
        place: tuple(sorted((w for p, w in rows if p == place), key=len, reverse=True))
        for place in ("lead", "tail", "head")
    }


def _bare(piece: str) -> str:
    """A piece of a phrase without the words around the name."""
    words = _phrase_words()
    while lead := next((w for w in words["lead"] if piece.startswith(w)), ""):
        piece = piece.removeprefix(lead)
    while tail := next((w for w in words["tail"] if piece.endswith(w)), ""):
        piece = piece.removesuffix(tail)
    return piece


@lru_cache(maxsize=1)
def not_findings() -> frozenset[str]:
    """Words that are listed as symptoms and say nothing on their own."""
    text = (files("knowledge") / "data" / "not_findings.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return frozenset(fold(line) for line in lines if line and not line.startswith("#"))


class Vocabulary:
    """The symptom and sign concepts of a base, and how phrases map to them."""

    def __init__(
        self, phrases: Iterable[str], table: SynonymTable, disease_names: Set[str]
    ) -> None:
        """``phrases`` are all symptom phrases of all sources, repeated as often as they occur."""
        self._table = table
        self._diseases = {fold(name) for name in disease_names}
        counts = Counter(fold(phrase) for phrase in phrases)
        self._plain = {
            phrase: count for phrase, count in counts.items() if self._is_plain(phrase, count)
        }
        self._known = Lexicon()
        self._known.add_synonyms(table)
        self._lexicon = Lexicon()
        self._lexicon.add_synonyms(table)
        for phrase, count in self._plain.items():
            if count > 2:
                self._lexicon.add(phrase, phrase, TermKind.SYMPTOM)
        self._cache: dict[str, tuple[str, ...]] = {}

    def _is_plain(self, phrase: str, count: int) -> bool:
        return (
            2 <= len(phrase) <= (PLAIN_LENGTH if count > 1 else 6)
            and phrase not in not_findings()
            and phrase not in self._diseases
            and phrase.endswith(_phrase_words()["head"])
            and not _SPLIT.search(phrase)
            and not _DENIAL.match(phrase)
        )

    @property
    def terms(self) -> Iterable[tuple[str, int]]:
        """The plain terms with the number of times each is listed."""
        return self._plain.items()

    def is_disease(self, phrase: str) -> bool:
        """Whether a listed symptom is another disease: a complication rather than a symptom."""
        return fold(phrase) in self._diseases and self._table.canonical(phrase) is None

    def concepts(self, phrase: str) -> tuple[str, ...]:
        """The concepts that ``phrase`` names; empty when it names none."""
        key = fold(phrase)
        if key not in self._cache:
            self._cache[key] = tuple(dict.fromkeys(self._read(key)))
        return self._cache[key]

    def concepts_in_name(self, name: str) -> tuple[str, ...]:
        """The concepts that a disease carries in its name (过敏性鼻炎 → 过敏)."""
        found = [match.concept for match in self._known.find(name) if not match.denied]
        return tuple(dict.fromkeys(found))

    def _read(self, phrase: str) -> list[str]:
        whole = self._term(phrase)
        if whole is not None:
            return [whole]
        if phrase in not_findings() or phrase in self._diseases or _DENIAL.search(phrase):
            return []
        found: list[str] = []
        for piece in _SPLIT.split(phrase):
            piece = _bare(piece.strip())
            term = self._term(piece)
            if term is not None:
                found.append(term)
            elif len(piece) > 2:
                found += [m.concept for m in self._lexicon.find(piece) if not m.denied]
        return found

    def _term(self, phrase: str) -> str | None:
        if phrase in not_findings():
            return None
        known = self._table.canonical(phrase)
        if known is not None:
            return known
        return phrase if phrase in self._plain else None
