"""Tables of patterns, in which macros in braces stand for what many of them share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import yaml

HAN = "\u4e00-\u9fff"
_MACRO = re.compile(r"\{([A-Z_]+\d?)\}")


def rows(name: str) -> Iterator[list[str]]:
    """The rows of a table in ``data``, without its comments."""
    for line in read(name).splitlines():
        if line and not line.startswith("# "):
            yield line.split("\t")


@cache
def words(name: str) -> tuple[str, ...]:
    """One list of ``name_words.yaml``, the longest first."""
    return tuple(sorted(_lists()[name].split(), key=len, reverse=True))


def any_of(listed: tuple[str, ...]) -> str:
    """An alternation of the words, the longest first."""
    return "|".join(sorted(map(re.escape, listed), key=len, reverse=True))


def expand(pattern: str, macros: Mapping[str, str]) -> str:
    """``pattern`` with its macros, which may name others, written out."""
    while (wider := _MACRO.sub(lambda match: macros[match[1]], pattern)) != pattern:
        pattern = wider
    return pattern


def read(name: str) -> str:
    """A file of ``data``."""
    return (files("assistant.store") / "data" / name).read_text(encoding="utf-8")


@cache
def _lists() -> dict[str, str]:
    loaded: dict[str, str] = yaml.safe_load(read("name_words.yaml"))
    return loaded
