"""The lexicon that comes with the product: enough to read a note before any base is built."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from knowledge.ranking.critical import critical_diseases
from knowledge.text.lexicon import Lexicon
from knowledge.text.synonyms import TermKind, load_synonyms


@lru_cache(maxsize=1)
def shipped_lexicon() -> Lexicon:
    """Synonyms, the diseases of every department, and those that must not be missed."""
    lexicon = Lexicon()
    lexicon.add_synonyms(load_synonyms())
    for names in [*_common_names(), *((d.name, *d.aliases) for d in critical_diseases())]:
        for name in names:
            lexicon.add(name, lexicon.concept(names[0]) or names[0], TermKind.DISEASE)
    return lexicon


def _common_names() -> list[tuple[str, ...]]:
    text = (files("knowledge") / "data" / "common_diseases.tsv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [tuple(line.split("\t")[0].split("|")) for line in lines]
