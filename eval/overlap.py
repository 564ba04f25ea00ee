"""What a test set shares with texts that a model was trained on, or is shown as examples.

Texts are compared without white space, punctuation, case and width.  A test text is cut into
segments (lines, what follows a colon, what stands in quotation marks), after lists of the choices
that it offers were cut out.  Its characters are covered by whole segments that are a training text
or segment too, and by n-grams of 13 characters (Brown et al. 2020, appendix C) that a training text
has.  Segments and n-grams that many texts have are the wording of the task and do not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.errors import InputError
from eval.json_lines import read_objects

NGRAM = 13
COVERED = 0.5
"""A test text of which at least this share is covered is said to overlap."""

BARRED = 0.3
"""A training text that by itself covers this share of a test text is kept from training on it."""

_FIELDS = ("input", "text", "self_report", "question")
_QUOTED = re.compile(r"[“\"「『]([^“”\"「」『』\n]+)[”\"」』]")
_COMMON_TEXTS = 8
_COMMON_SHARE = 0.002


@dataclass(frozen=True, slots=True)
class Text:
    """A text with where it comes from; ``choices`` are the labels that it offers."""

    name: str
    group: str
    content: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """How much of a test text training texts cover, and the text that covers most of it."""

    name: str
    group: str
    exact: bool
    covered: float
    nearest: str
    nearest_covered: float
    touched: bool
    overlapping: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """All test texts, in order."""

    matches: tuple[Match, ...]
    train_texts: int
    threshold: float

    @property
    def flagged(self) -> list[Match]:
        """Test texts that are covered, as a whole or for the most part."""
        return [m for m in self.matches if m.exact or m.covered >= self.threshold]

    @property
    def train_names(self) -> set[str]:
        """Training texts that are not to be trained on, nor shown as examples."""
        return {name for match in self.matches for name in match.overlapping}

    def to_json(self) -> dict[str, Any]:
        """The counts by group and the flagged texts."""
        groups: dict[str, dict[str, Any]] = {}
        for match in self.matches:
            row = groups.setdefault(
                match.group,
                {"texts": 0, "exact": 0, "overlapping": 0, "touched": 0, "covered": 0.0},
            )
            row["texts"] += 1
            row["exact"] += match.exact
            row["overlapping"] += match.exact or match.covered >= self.threshold
            row["touched"] += match.touched
            row["covered"] += match.covered
        for row in groups.values():
            row["covered"] = round(row["covered"] / row["texts"], 4)
        flagged = [
            {key: value for key, value in asdict(m).items() if key != "overlapping"}
            for m in self.flagged
        ]
        return {
            "ngram": NGRAM,
            "threshold": self.threshold,
            "train_texts": self.train_texts,
            "test_texts": len(self.matches),
            "exact": sum(match.exact for match in self.matches),
            "overlapping": len(flagged),
            "groups": groups,
            "flagged": flagged,
        }


def read_texts(path: Path, field: str = "") -> list[Text]:
    """The texts of a file: of ``field``, else of the first usual field that a line has.

    Raises:
        InputError: with file, line and field.
    """
    texts: list[Text] = []
    for line, row in read_objects(path):
        name = field or next((known for known in _FIELDS if known in row), "")
        if not name:
            raise InputError(
                path, line, f"none of the fields {', '.join(_FIELDS)} is there; name one (--field)."
            )
        content = row.get(name)
        if not isinstance(content, str):
            raise InputError(path, line, "text is needed.", name)
        choices = row.get("answer_choices")
        offered = choices if isinstance(choices, list) else []
        texts.append(
            Text(
                f"{path.name}:{line}",
                str(row.get("task_dataset", "")),
                content,
                tuple(str(choice) for choice in offered),
            )
        )
    if not texts:
        raise InputError(path, 0, "there is no text in the file.")
    return texts


def fold(text: str) -> str:
    """Letters and digits alone, in one width and case."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def segments(text: Text) -> list[str]:
    """The parts of a text that can be a text of their own elsewhere, folded; longest come first."""
    found: dict[str, None] = {}
    for line in _without_choices(text).split("\n"):
        for part in (line, *_QUOTED.findall(line), *re.split("[:：]", line, maxsplit=1)[1:]):
            if folded := fold(part):
                found[folded] = None
    return sorted(found, key=len, reverse=True)


def _without_choices(text: Text) -> str:
    """The content with every list of two or more choices cut out: they are no text of its own."""
    if len(text.choices) < 2:
        return text.content
    longest_first = sorted({c for c in text.choices if c.strip()}, key=len, reverse=True)
    choice = "|".join(re.escape(choice) for choice in longest_first)
    return re.sub(f"(?:{choice})(?:[，,、](?:{choice}))+", "\n", text.content)


def compare(train: Sequence[Text], test: Sequence[Text], threshold: float = COVERED) -> Overlap:
    """How much of each test text the training texts cover."""
    index = _Index(test)
    common = index.common(train)
    covers: list[dict[str, set[int]]] = [{} for _ in test]
    exact: list[bool] = [False] * len(test)
    whole = defaultdict(list)
    for number, text in enumerate(test):
        whole[fold(text.content)].append(number)
    for text in train:
        for number in whole.get(fold(text.content), ()):
            exact[number] = True
            covers[number].setdefault(text.name, set()).update(index.counted(number, common))
        for piece in _pieces(text):
            if piece not in common:
                for number, places in index.places.get(piece, ()):
                    covers[number].setdefault(text.name, set()).update(places)
    matches = [
        _match(text, exact[number], index.counted(number, common), covers[number], threshold)
        for number, text in enumerate(test)
    ]
    return Overlap(tuple(matches), len(train), threshold)


def _match(
    text: Text, exact: bool, counted: set[int], covers: dict[str, set[int]], threshold: float
) -> Match:
    if not counted:
        return Match(text.name, text.group, exact, float(exact), "", 0.0, exact, ())
    shares = {name: len(places & counted) / len(counted) for name, places in covers.items()}
    nearest = max(shares, key=lambda name: shares[name], default="")
    union = set[int]().union(*covers.values()) & counted
    covered = len(union) / len(counted)
    return Match(
        text.name,
        text.group,
        exact,
        round(covered, 4),
        nearest,
        round(shares.get(nearest, 0.0), 4),
        exact or covered >= threshold or len(union) >= NGRAM,
        tuple(name for name, share in shares.items() if share >= min(threshold, BARRED)),
    )


def _pieces(text: Text) -> set[str]:
    """Everything by which a training text can cover a test text."""
    found: set[str] = {fold(text.content)}
    for segment in segments(text):
        found.add(segment)
        found.update(_ngrams(segment))
    return found


def _ngrams(segment: str) -> Iterator[str]:
    for start in range(len(segment) - NGRAM + 1):
        yield segment[start : start + NGRAM]


class _Index:
    """Where in which test text each segment and n-gram stands; characters are numbered a text."""

    def __init__(self, test: Sequence[Text]) -> None:
        self.places: dict[str, list[tuple[int, range]]] = defaultdict(list)
        self._segments: list[list[tuple[str, int]]] = []
        for number, text in enumerate(test):
            self._segments.append(self._add(number, text))
        self._texts = len(test)

    def _add(self, number: int, text: Text) -> list[tuple[str, int]]:
        """Segments inside of one that stands already share its characters."""
        placed: list[tuple[str, int]] = []
        end = 0
        for segment in segments(text):
            outer = next(((o, s) for o, s in placed if segment in o), None)
            start = outer[1] + outer[0].index(segment) if outer else end
            self.places[segment].append((number, range(start, start + len(segment))))
            if outer is None:
                placed.append((segment, start))
                end += len(segment)
                for offset, gram in enumerate(_ngrams(segment)):
                    if gram != segment:
                        place = range(start + offset, start + offset + NGRAM)
                        self.places[gram].append((number, place))
        return placed

    def common(self, train: Iterable[Text]) -> set[str]:
        """Segments and n-grams that so many texts have that they are the wording of the task."""
        counts: Counter[str] = Counter()
        texts = self._texts
        for piece, found in self.places.items():
            counts[piece] = len({number for number, _ in found})
        for text in train:
            texts += 1
            counts.update(piece for piece in _pieces(text) if piece in self.places)
        limit = max(_COMMON_TEXTS, round(_COMMON_SHARE * texts))
        return {piece for piece, count in counts.items() if count > limit}

    def counted(self, number: int, common: set[str]) -> set[int]:
        """The characters of a test text that are not in the wording of the task."""
        kept: set[int] = set()
        for segment, start in self._segments[number]:
            inside = set(range(start, start + len(segment)))
            if segment in common:
                continue
            for offset, gram in enumerate(_ngrams(segment)):
                if gram in common:
                    inside -= set(range(start + offset, start + offset + NGRAM))
            kept |= inside
        return kept
