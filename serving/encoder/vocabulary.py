"""Text to token ids, each with the code points of the original text that it stands for.

Two ways to cut.  *Characters*: every character is a token, Latin letters and digits too, so that a
span can begin and end anywhere.  *WordPiece*: as BERT was trained (Devlin et al. 2019; longest
match first, after Wu et al. 2016), for vocabularies whose Latin words and numbers are whole pieces.

Whatever normalisation does to a character, its token keeps the place of the original: width folding
may make several characters of one, case folding may change a length, and combining marks, joiners
and control characters make no token of their own.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from serving.ir.checkpoint import CheckpointError

Cut = Literal["characters", "wordpiece"]

FILE_NAME = "vocab.txt"
PAD, UNKNOWN, FIRST, LAST, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIAL = (PAD, UNKNOWN, FIRST, LAST, MASK)
_LONGEST_WORD = 100
# A vocabulary may be asked for any character there is; what was met is remembered up to this many.
_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """``ids``, without special tokens; token ``k`` stands for ``text[starts[k]:ends[k]]``."""

    ids: list[int]
    starts: list[int]
    ends: list[int]

    def __len__(self) -> int:
        return len(self.ids)


class Vocabulary:
    """The pieces of a ``vocab.txt`` and how text is cut into them."""

    def __init__(
        self,
        pieces: Sequence[str],
        cut: Cut = "characters",
        lower_case: bool = True,
        fold_width: bool = True,
    ) -> None:
        """``fold_width``: compatibility forms (Ａ, ①, ㎎) count as their plain ones (NFKC).

        Raises:
            CheckpointError: a special token is missing.
        """
        self.pieces = tuple(pieces)
        self.cut = cut
        self.lower_case = lower_case
        self.fold_width = fold_width
        # Of two equal lines the last counts, as in BERT's own reader.
        self._ids = {piece: index for index, piece in enumerate(pieces)}
        missing = [name for name in SPECIAL if name not in self._ids]
        if missing:
            raise CheckpointError(
                f"The vocabulary lacks {', '.join(missing)}; it is not one of a BERT model."
            )
        self.pad, self.unknown, self.first, self.last, self.mask = (
            self._ids[name] for name in SPECIAL
        )
        self._characters: dict[str, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self.pieces)

    def tokens(self, text: str) -> Tokens:
        """``text`` cut into tokens.  Never raises, whatever the text holds."""
        return self._by_character(text) if self.cut == "characters" else self._by_word(text)

    def settings(self) -> dict[str, object]:
        """For ``config.json``; see `read`."""
        return {
            "cut": self.cut,
            "lower_case": self.lower_case,
            "fold_width": self.fold_width,
        }

    def write(self, folder: Path) -> None:
        """Write ``vocab.txt``."""
        text = "".join(f"{piece}\n" for piece in self.pieces)
        (folder / FILE_NAME).write_text(text, encoding="utf-8")

    def _by_character(self, text: str) -> Tokens:
        ids: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        known = self._characters
        for place, character in enumerate(text):
            found = known.get(character)
            if found is None:
                found = self._of_character(character)
            if found:
                for one in found:
                    ids.append(one)
                    starts.append(place)
                    ends.append(place + 1)
            elif ends and ends[-1] == place and _joins(character):
                _lengthen(starts, ends)
        return Tokens(ids, starts, ends)

    def _of_character(self, character: str) -> tuple[int, ...]:
        plain = self._plain(character)
        found = tuple(
            self._ids.get(one, self.unknown)
            for one in plain
            if not (one.isspace() or _is_silent(one))
        )
        if len(self._characters) < _REMEMBERED:
            self._characters[character] = found
        return found

    def _by_word(self, text: str) -> Tokens:
        tokens = Tokens([], [], [])
        for word, places in self._words(text):
            self._pieces_of(word, places, tokens)
        for index, end in enumerate(tokens.ends):
            while end < len(text) and _joins(text[end]):
                end += 1
            tokens.ends[index] = end
        return tokens

    def _words(self, text: str) -> Iterator[tuple[str, list[int]]]:
        """Words of BERT's basic cut, with the place of each of their characters."""
        word: list[str] = []
        places: list[int] = []
        for place, character in enumerate(text):
            for one in self._plain(character):
                if _is_silent(one):
                    continue
                alone = _is_ideograph(one) or _is_punctuation(one)
                if word and (alone or one.isspace()):
                    yield "".join(word), places
                    word, places = [], []
                if alone:
                    yield one, [place]
                elif not one.isspace():
                    word.append(one)
                    places.append(place)
        if word:
            yield "".join(word), places

    def _pieces_of(self, word: str, places: list[int], into: Tokens) -> None:
        found: list[tuple[int, int, int]] = []
        start = 0
        while start < len(word) and len(word) <= _LONGEST_WORD:
            end = len(word)
            prefix = "##" if start else ""
            while end > start and prefix + word[start:end] not in self._ids:
                end -= 1
            if end == start:
                break
            found.append((self._ids[prefix + word[start:end]], places[start], places[end - 1] + 1))
            start = end
        if start < len(word):
            found = [(self.unknown, places[0], places[-1] + 1)]
        for one, begin, stop in found:
            into.ids.append(one)
            into.starts.append(begin)
            into.ends.append(stop)

    def _plain(self, character: str) -> str:
        if self.fold_width:
            character = unicodedata.normalize("NFKC", character)
        if self.lower_case:
            apart = unicodedata.normalize("NFD", character.lower())
            character = "".join(one for one in apart if unicodedata.category(one) != "Mn")
        return character


def read(folder: Path, settings: dict[str, object] | None = None) -> Vocabulary:
    """The vocabulary of a model's folder; without ``settings`` it is cut as BERT's own.

    Raises:
        CheckpointError: ``vocab.txt`` is missing, no UTF-8, or lacks a special token.
    """
    path = folder / FILE_NAME
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path} is missing; it comes with the model and lists its tokens, one a line."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read as UTF-8; fetch it again.") from error
    pieces = [line.rstrip("\r") for line in lines]
    if pieces and not pieces[-1]:
        pieces.pop()
    chosen = settings or {}
    try:
        return Vocabulary(
            pieces,
            "characters" if chosen.get("cut") == "characters" else "wordpiece",
            lower_case=bool(chosen.get("lower_case", True)),
            fold_width=bool(chosen.get("fold_width", False)),
        )
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def of_characters(texts: Iterable[str], least: int = 2, most: int = 21_000) -> Vocabulary:
    """A vocabulary of the characters that ``texts`` hold at least ``least`` times, most frequent
    first; of equals the lower code point comes first."""
    empty = Vocabulary(SPECIAL)
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    plain: Counter[str] = Counter()
    for character, count in counts.items():
        for one in empty._plain(character):
            if not one.isspace() and not _is_silent(one):
                plain[one] += count
    ranked = sorted(plain.items(), key=lambda item: (-item[1], item[0]))
    kept = [one for one, count in ranked if count >= least]
    return Vocabulary([*SPECIAL, *kept[: most - len(SPECIAL)]])


def _lengthen(starts: list[int], ends: list[int]) -> None:
    """The last character's tokens cover one code point more."""
    start, index = starts[-1], len(ends) - 1
    while index >= 0 and starts[index] == start:
        ends[index] += 1
        index -= 1


def _joins(character: str) -> bool:
    """Whether it belongs to the character before it: a mark, a joiner, a variation selector."""
    return unicodedata.category(character) in ("Mn", "Me") or character == "\u200d"


def _is_silent(character: str) -> bool:
    """What BERT drops: control and format characters, surrogates, the mark of bad bytes."""
    if character in "\t\n\r":
        return False
    return character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs")


def _is_ideograph(character: str) -> bool:
    code = ord(character)
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x3FFFF
    )


def _is_punctuation(character: str) -> bool:
    code = ord(character)
    if 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126:
        return True
    return unicodedata.category(character).startswith("P")
