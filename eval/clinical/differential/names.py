"""Which names stand for the same diagnosis, and how a member's list of names hits the gold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache

from assistant.tasks.differential.diagnosis_name import exact_code
from eval.clinical.differential.cases import DiagnosisCase
from knowledge.base import KnowledgeBase
from knowledge.disease import Disease
from knowledge.graph import diagnosis_key
from knowledge.text.folding import fold
from knowledge.text.synonyms import TermKind

_CATEGORY = re.compile(r"[A-Z][0-9][0-9A-Z]")


class Match(StrEnum):
    """How a name hits the gold, the strictest first."""

    EXACT = "exact"
    """The gold's own name."""
    ALIAS = "alias"
    """Another name of it: of the set, of the base, or with or without 小儿, 急性 and the like."""
    CATEGORY = "icd10"
    """A diagnosis of the same three-character ICD-10 category."""


class Names:
    """The names of a base."""

    def __init__(self, knowledge: KnowledgeBase) -> None:
        self._knowledge = knowledge
        self.categories = cache(self._categories)
        self._accepted = cache(self._of_gold)

    def others(self, names: Iterable[str]) -> frozenset[str]:
        """``names`` and, for each, the other names of its disease in the base, all folded."""
        found: set[str] = set()
        for name in names:
            found.add(fold(name.strip()))
            disease = self._knowledge.graph.disease(name)
            if disease is not None:
                found.update(fold(other) for other in (disease.name, *disease.aliases))
        return frozenset(found)

    def disease(self, name: str) -> Disease | None:
        """The disease of the base that has this name."""
        return self._knowledge.graph.disease(name)

    def _categories(self, name: str) -> frozenset[str]:
        """Three-character categories of a name: of the base's codes and of a table's own name.

        A code is never guessed: a name that no table has in these words has none.
        """
        disease = self._knowledge.graph.disease(name)
        codes = list(disease.icd10) if disease else []
        for other in dict.fromkeys((name, disease.name if disease else name)):
            coded = exact_code(self._knowledge, other)
            codes += [coded.code] if coded else []
        heads = (code.strip().upper()[:3] for code in codes)
        return frozenset(head for head in heads if _CATEGORY.fullmatch(head))

    def _of_gold(
        self, gold: tuple[str, ...], same: tuple[str, ...]
    ) -> tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]:
        others = self.others((*gold, *same))
        return (
            frozenset(fold(name) for name in gold),
            others,
            frozenset(diagnosis_key(name) for name in others),
            frozenset().union(*(self.categories(name) for name in (*gold, *same))),
        )

    def giving_away(self, case: DiagnosisCase) -> frozenset[str]:
        """The folded names that would give the gold of ``case`` away.

        小儿肺炎 is given away by 肺炎 too; 小儿腹泻 not by 腹泻, which is what the child has.
        """
        names = self.others(case.names)
        plain = {diagnosis_key(name) for name in names}
        return names | {key for key in plain - names if self._is_only_disease(key)}

    def _is_only_disease(self, name: str) -> bool:
        lexicon = self._knowledge.extractor.lexicon
        findings = lexicon.find(name, (TermKind.SYMPTOM, TermKind.SIGN))
        return self._knowledge.graph.disease(name) is not None and not findings

    def match(self, name: str, case: DiagnosisCase) -> Match | None:
        """How ``name`` hits the gold of ``case``, if it does."""
        exact, others, keys, categories = self._accepted(case.gold, case.same)
        folded = fold(name.strip())
        if folded in exact:
            return Match.EXACT
        if folded in others or diagnosis_key(folded) in keys or self.others([name]) & exact:
            return Match.ALIAS
        return Match.CATEGORY if self.categories(name) & categories else None

    def places(self, named: Sequence[str], case: DiagnosisCase) -> dict[Match, int]:
        """The rank, from 1, of the first name that hits in each way or a stricter one."""
        found: dict[Match, int] = {}
        for rank, name in enumerate(named, 1):
            hit = self.match(name, case)
            if hit is not None:
                for way in list(Match)[list(Match).index(hit) :]:
                    found.setdefault(way, rank)
        return found
