"""Marked sentences and the places that were found in them → a clinical result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from assistant.training.data.identifying import Place, find
from assistant.training.data.surrogates import StillNamed, Surrogates
from eval.clinical.deidentify.sentence import KINDS, Mark, Sentence
from eval.clinical.proportion import share
from eval.clinical.result import Case, ClinicalResult, Figure
from eval.run.identity import digest

SCORES = ("recall", "recall_held", "names", "kept", "precision", "unread", "stable")
"""What gates may ask for, 0 to 100."""

_NOTE = (
    "句子均为虚构；规则的编写参考了这些句子，留出部分也看过一次。各院病历上的召回须另行测量。 "
    "Sentences are invented; the rules were written with them in view, the held part once. Recall "
    "on a hospital's own notes must be measured there."
)

Finder = Callable[[str], Sequence[Place]]


def evaluate(
    sentences: Sequence[Sentence],
    finder: Finder = find,
    *,
    command: str = "",
    sources: Sequence[str] = (),
) -> ClinicalResult:
    """Score ``finder``, and the surrogates made with it.

    A mark counts as found where every letter and digit of it lies in a place; a clinical word as
    kept where none does.  ``unread``: a marked name, id or phone is nowhere in the text with
    surrogates.  ``stable``: a name gets the same surrogate twice, and two dates keep their distance
    (`_stable`).
    """
    found = {sentence.id: list(finder(sentence.text)) for sentence in sentences}
    held = [sentence for sentence in sentences if sentence.part == "held"]
    figures = {
        "recall": _recall("召回 recall", sentences, found),
        "recall_held": _recall("召回（留出）recall, held", held, found),
        "names": _recall("姓名召回 recall of names", sentences, found, "N"),
        "kept": _kept(sentences, found),
        "precision": _precision(sentences, found),
        "unread": _unread(sentences),
        "stable": _stable(sentences),
    }
    kinds = [_recall(title, sentences, found, key, "各类 kinds") for key, title in KINDS.items()]
    return ClinicalResult(
        kind="deidentify",
        title="去标识评测 De-identification",
        headline=figures["recall"],
        scores={key: figure.value for key, figure in figures.items()},
        figures=[*figures.values(), *(figure for figure in kinds if figure.n)],
        cases=list(_wrong(sentences, found)),
        notes=[_NOTE],
        hashes={"data": digest([[s.part, s.text, [m.start for m in s.marks]] for s in sentences])},
        command=command,
        sources=list(sources),
    )


def _covered(sentence: Sentence, places: Sequence[Place]) -> set[int]:
    inside = {at for place in places for at in range(place.start, place.end)}
    return {at for at in inside if sentence.text[at].isalnum()}


def _letters(sentence: Sentence, mark: Mark) -> set[int]:
    return {at for at in range(mark.start, mark.end) if sentence.text[at].isalnum()}


def _recall(
    title: str,
    sentences: Sequence[Sentence],
    found: dict[str, list[Place]],
    kind: str = "",
    group: str = "",
) -> Figure:
    counts = {}
    for sentence in sentences:
        covered = _covered(sentence, found[sentence.id])
        marks = [m for m in sentence.marks if m.kind != "=" and kind in ("", m.kind)]
        counts[sentence.id] = sum(_letters(sentence, m) <= covered for m in marks), len(marks)
    return share(title, counts, group=group)


def _kept(sentences: Sequence[Sentence], found: dict[str, list[Place]]) -> Figure:
    counts = {}
    for sentence in sentences:
        covered = _covered(sentence, found[sentence.id])
        marks = [m for m in sentence.marks if m.kind == "="]
        counts[sentence.id] = sum(not _letters(sentence, m) & covered for m in marks), len(marks)
    return share("临床用语保留 clinical words kept", counts)


def _precision(sentences: Sequence[Sentence], found: dict[str, list[Place]]) -> Figure:
    counts = {}
    for sentence in sentences:
        marks = [m for m in sentence.marks if m.kind != "="]
        places = found[sentence.id]
        right = sum(any(p.start < m.end and m.start < p.end for m in marks) for p in places)
        counts[sentence.id] = right, len(places)
    return share("精确率 precision", counts)


def _unread(sentences: Sequence[Sentence]) -> Figure:
    counts = {}
    for sentence in sentences:
        marks = [sentence.text[m.start : m.end] for m in sentence.marks if m.kind in "NIP"]
        try:
            made = Surrogates(_key(sentence.id)).text(sentence.text)
        except StillNamed:
            # Refused is not read.
            made = ""
        counts[sentence.id] = sum(one not in made for one in marks), len(marks)
    return share("替换后读不到 not readable afterwards", counts)


def _stable(sentences: Sequence[Sentence]) -> Figure:
    """A name in two texts of a patient, read one after the other and the other way round."""
    counts = {}
    for sentence in sentences:
        names = [
            sentence.text[m.start : m.end]
            for m in sentence.marks
            if m.kind == "N" and m.end - m.start > 1
        ]
        right = 0
        for name in names:
            texts = [f"患者：{name}，2023年5月6日入院。", f"2023年5月16日，{name}出院。"]
            first, second = Surrogates(_key("one"), "p"), Surrogates(_key("one"), "p")
            for one in (first, second):
                one.know([name])
            try:
                forward = [first.text(text) for text in texts]
                backward = [second.text(text) for text in reversed(texts)][::-1]
            except StillNamed:
                continue
            other = forward[0].removeprefix("患者：").partition("，")[0]
            right += forward == backward and other in forward[1] and other != name
        counts[sentence.id] = right, len(names)
    return share("替身稳定 stable surrogates", counts)


def _key(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _wrong(sentences: Sequence[Sentence], found: dict[str, list[Place]]) -> Iterator[Case]:
    for sentence in sentences:
        covered = _covered(sentence, found[sentence.id])
        for mark in sentence.marks:
            letters = _letters(sentence, mark)
            stays = mark.kind == "="
            if (letters & covered) if stays else not letters <= covered:
                yield Case(
                    id=f"{sentence.id}:{mark.start}",
                    kind=sentence.category,
                    given=sentence.text,
                    expected=sentence.text[mark.start : mark.end],
                    answer="、".join(place.text for place in found[sentence.id]) or "—",
                    note="clinical word replaced" if stays else "left",
                )
