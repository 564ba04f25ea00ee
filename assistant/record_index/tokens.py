"""A query as words, signs and brackets, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assistant.record_index.errors import QueryError

LONGEST = 2_000
"""Characters of a query."""

Kind = Literal["word", "quoted", "and", "or", "not", "(", ")", "operator", ":", "end"]

_QUOTES = {'"': '"', "“": "”", "「": "」", "'": "'"}
_OPERATORS = {"=": "=", "＝": "=", "!=": "!=", "≠": "!=", ">": ">", "＞": ">", "<": "<", "＜": "<"}
_OPERATORS |= {">=": ">=", "≥": ">=", "＞=": ">=", "<=": "<=", "≤": "<=", "＜=": "<=", "≧": ">="}
_OPERATORS |= {"≦": "<=", "=>": ">=", "=<": "<="}
_OPERATOR = re.compile("|".join(map(re.escape, sorted(_OPERATORS, key=len, reverse=True))))
_WORD = re.compile(r"[^\s()（）:：=＝!≠>＞<＜≥≤≧≦\"“”「」]+")
# A sign after a colon is a word: ALK:(+), EGFR:-.
_SIGN = re.compile(r"[(（]\s*([+\-±])\s*[)）]|[+\-](?=\s|$|[)）])")
_JOINTS: dict[str, Kind] = {
    "and": "and", "且": "and", "并且": "and", "&": "and", "&&": "and", "与": "and",
    "or": "or", "或": "or", "或者": "or", "|": "or", "||": "or",
    "not": "not", "非": "not", "!": "not",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` at ``[at, end)`` of the query; an operator in its plain form."""

    kind: Kind
    text: str
    at: int
    end: int


def tokens(query: str) -> list[Token]:
    """The tokens of a query, an ``end`` last.  Raises `QueryError`."""
    if len(query) > LONGEST:
        raise QueryError(
            LONGEST,
            f"检索式有 {len(query)} 个字符，最多 {LONGEST} 个，请分成几次检索",
            f"the query has {len(query)} characters, {LONGEST} at most: search in parts",
        )
    found: list[Token] = []
    at = 0
    while at < len(query):
        if query[at].isspace():
            at += 1
            continue
        token = _token(query, at, after_colon=bool(found) and found[-1].kind == ":")
        found.append(token)
        at = token.end
    found.append(Token("end", "", len(query), len(query)))
    return found


def _token(query: str, at: int, *, after_colon: bool) -> Token:
    character = query[at]
    if after_colon and (sign := _SIGN.match(query, at)):
        return Token("word", sign[1] or sign[0], at, sign.end())
    if character in "(（":
        return Token("(", "(", at, at + 1)
    if character in ")）":
        return Token(")", ")", at, at + 1)
    if character in ":：":
        return Token(":", ":", at, at + 1)
    if character in _QUOTES:
        return _quoted(query, at)
    if operator := _OPERATOR.match(query, at):
        return Token("operator", _OPERATORS[operator[0]], at, operator.end())
    if character == "!":
        return Token("not", "!", at, at + 1)
    word = _WORD.match(query, at)
    if word is None:
        raise QueryError(at, f"不认识的符号“{character}”", f"an unknown sign {character!r}")
    joint = _JOINTS.get(word[0].lower())
    return Token(joint or "word", word[0], at, word.end())


def _quoted(query: str, at: int) -> Token:
    end = query.find(_QUOTES[query[at]], at + 1)
    if end < 0:
        raise QueryError(at, "引号没有结束", "a quotation that does not end")
    if end == at + 1:
        raise QueryError(at, "引号里没有内容", "an empty quotation")
    return Token("quoted", query[at + 1 : end], at, end + 1)
