"""What the product itself reads from a text: its recogniser, its rules, its coding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.opening import MODEL, open_ranker, open_recognizer, standard_terms
from assistant.tasks.structuring.pipeline import Structurer
from eval.clinical.structuring.document import Document, Items, What, entity, term, triple
from eval.errors import EvalError
from knowledge.base import KnowledgeBase
from knowledge.coding.normalization import Normalizer


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads texts; ``identity`` says with what, ``notes`` what a reader of figures must know."""

    read: Callable[[str], Items]
    identity: Mapping[str, Any]
    notes: Sequence[str] = field(default_factory=tuple)
    trained_on: frozenset[str] = frozenset()
    """Texts that it was trained on, as far as it knows them."""


def open_reader(what: What, base: KnowledgeBase | None, home: Path) -> Reader:
    """The reader that the installation in ``home`` has.

    Raises:
        EvalError: terms are asked for, and the base has no table of codes.
    """
    if what is What.TERMS:
        return _coding(base, home)
    recognizer = open_recognizer(home)
    # Codes are left out: neither entities nor triples depend on them, and they take most time.
    structurer = Structurer(base, recognizer)
    notes = []
    own = home / "models" / MODEL
    if own.is_dir() and (recognizer is None or recognizer.folder != own):
        notes.append(
            f"自己的结构化模型无法打开，测的是 {structurer.model}。The structuring model of this "
            f"installation cannot be opened; this is {structurer.model}. Run `bedside doctor`."
        )
    if base is None:
        notes.append("未用知识库。Without a knowledge base.")

    def entities(text: str) -> Items:
        note = structurer.structure(NoteText("", text))
        return frozenset(entity(e.start, e.end, e.type.value) for e in note.entities)

    def triples(text: str) -> Items:
        note = structurer.structure(NoteText("", text))
        return frozenset(
            triple(r.subject.text, r.predicate, r.object.text)
            for r in note.relations
            if r.kind == "triple"
        )

    chosen = entities if what is What.ENTITIES else triples
    return Reader(chosen, {"name": structurer.model}, notes)


def _coding(base: KnowledgeBase | None, home: Path) -> Reader:
    codes = base.codes if base is not None else []
    if not codes:
        raise EvalError(
            "The knowledge base has no table of diagnosis codes: add one with `bedside kb build`."
        )
    standard = standard_terms(codes)
    ranker = open_ranker(home)
    normalizer = Normalizer(standard, ranker)

    def terms(text: str) -> Items:
        return frozenset(term(found.name) for found in normalizer.terms(text))

    name = f"{'ranker' if ranker else 'rule'} · {standard[0].system}"
    trained_on = frozenset(text for text, _ in ranker.examples) if ranker else frozenset()
    return Reader(terms, {"name": name}, trained_on=trained_on)


def read_all(
    reader: Reader, documents: Sequence[Document], done: Callable[[], object] = lambda: None
) -> list[Items]:
    """What every document holds, in their order; ``done`` is called after each."""
    found = []
    for document in documents:
        found.append(reader.read(document.text))
        done()
    return found
