"""What a tokenizer is, whatever file it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field


class TokenizerError(Exception):
    """A tokenizer is missing, damaged or of a kind that is not known; says what to do."""


@dataclass(frozen=True, slots=True)
class SpecialToken:
    """A token that stands for itself.

    ``hidden``: left out of decoded text.  ``matched``: read as this token where ``text`` occurs
    in a prompt.  ``strip_left``, ``strip_right``: it swallows the white space on that side.
    """

    text: str
    id: int
    hidden: bool = True
    matched: bool = True
    strip_left: bool = False
    strip_right: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """A cut of the text into words by a regular expression (of PCRE2, in its UTF mode).

    ``behaviour``: what becomes of a match: ``isolate``, ``remove``, ``contiguous``,
    ``mergedwithprevious`` or ``mergedwithnext``.
    """

    pattern: str
    behaviour: str = "isolate"
    invert: bool = False


@dataclass(frozen=True, slots=True)
class BytePairs:
    """Byte-level BPE.

    ``pairs`` are merged in their order.  ``whole``: words that are one token without any merge.
    """

    pairs: list[tuple[bytes, bytes]]
    splits: tuple[Split, ...]
    whole: dict[bytes, int] = field(default_factory=dict)
    nfc: bool = False


@dataclass(frozen=True, slots=True)
class SentencePieces:
    """A sentencepiece model, serialised.  A piece's token id is its index plus ``offset``."""

    model: bytes
    offset: int = 0


@dataclass(frozen=True, slots=True)
class TokenSet:
    """A tokenizer.

    ``tokens``: what each id decodes to.  ``rewrites``: pattern and replacement, applied to the
    text in their order before anything else.  ``prefix`` and ``suffix``: ids around a text that
    is encoded with special tokens.  ``leading_space``: pattern of the white space that decoding
    drops at the start of a text, "" for none.
    """

    method: BytePairs | SentencePieces
    tokens: list[bytes]
    specials: tuple[SpecialToken, ...]
    rewrites: tuple[tuple[str, str], ...] = ()
    prefix: tuple[int, ...] = ()
    suffix: tuple[int, ...] = ()
    bos: int | None = None
    eos: int | None = None
    pad: int | None = None
    leading_space: str = ""

    def special(self, text: str) -> int | None:
        """The id of the special token that reads ``text``."""
        return next((token.id for token in self.specials if token.text == text), None)
