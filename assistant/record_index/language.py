"""The query language: text → tree, with errors that point at the character.

::

    EGFR:阳性 AND NOT 胸腔积液 AND 日期>=2025-01-01 AND 肌酐>120umol/L AND 诊断:肺癌

NOT binds closest, then AND, then OR; 且, 或, 非 are the same.  A name finds what ends with it (肺癌
finds 右肺癌); in quotation marks it is that name alone.
"""

from __future__ import annotations

from typing import NoReturn

from assistant.record_index.conditions import compared, dated, field_condition, plain, with_status
from assistant.record_index.errors import QueryError
from assistant.record_index.query import And, Leaf, Not, Or, Query
from assistant.record_index.tokens import Kind, Token, tokens
from assistant.record_index.vocabulary import fields, statuses
from knowledge.text.folding import fold

_DEEPEST = 30
MOST_CONDITIONS = 30


def parse(query: str) -> Query:
    """The tree of a query.  Raises `QueryError`."""
    return _Parser(query).whole()


class _Parser:
    def __init__(self, query: str) -> None:
        self._query = query
        self._tokens = tokens(query)
        self._at = 0
        self._conditions = 0

    def whole(self) -> Query:
        if self._next.kind == "end":
            raise QueryError(0, "检索式是空的", "the query is empty")
        found = self._or(0)
        left = self._next
        if left.kind == ")":
            raise QueryError(left.at, "多了一个右括号", "a closing bracket without an opening one")
        if left.kind != "end":
            raise QueryError(
                left.at,
                f"“{left.text}”前缺少 AND 或 OR；名称中有空格时请加引号",
                "AND or OR is missing before this; put quotation marks around a name with spaces",
            )
        return found

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self, kind: Kind) -> Token | None:
        token = self._next
        if token.kind != kind:
            return None
        self._at += 1
        return token

    def _or(self, depth: int) -> Query:
        parts = [self._and(depth)]
        while self._take("or"):
            parts.append(self._and(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self, depth: int) -> Query:
        parts = [self._one(depth)]
        while self._take("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self, depth: int) -> Query:
        if depth > _DEEPEST:
            at = self._next.at
            raise QueryError(at, f"括号或 NOT 超过 {_DEEPEST} 层", "nested too deeply")
        if self._take("not"):
            return Not(self._one(depth + 1))
        if opening := self._take("("):
            inner = self._or(depth + 1)
            if not self._take(")"):
                at = self._next.at if self._next.kind != "end" else opening.at
                raise QueryError(at, "括号没有配对", "a bracket that is not closed")
            return inner
        return self._condition()

    def _condition(self) -> Leaf:
        subject = self._word("这里应是名称或条件", "a name or a condition is expected here")
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise QueryError(
                subject.at,
                f"条件超过 {MOST_CONDITIONS} 个",
                f"more than {MOST_CONDITIONS} conditions",
            )
        if operator := self._take("operator"):
            return self._comparison(subject, operator)
        if not self._take(":"):
            return plain(subject, self._words(subject))
        return self._after_colon(subject)

    def _comparison(self, subject: Token, operator: Token) -> Leaf:
        value = self._word("比较符后应是数值或日期", "a number or a day is expected here")
        field = fields().get(fold(subject.text)) if subject.kind == "word" else None
        words = self._words(subject)
        if field is not None and field.kind == "date":
            return dated(words, subject.at, operator.text, value)
        return compared(words, subject, operator.text, value)

    def _after_colon(self, subject: Token) -> Leaf:
        value = self._word("冒号后应是内容", "something is expected after the colon")
        field = fields().get(fold(subject.text)) if subject.kind == "word" else None
        if field is None:
            status = statuses().get(fold(value.text))
            if status is None:
                self._unknown(subject, value)
            return with_status(self._words(subject), subject, status)
        if field.kind == "fact" and (operator := self._take("operator")):
            # 检验:肌酐>120umol/L
            return self._comparison(value, operator)
        third = None
        if field.kind == "fact" and self._take(":"):
            token = self._word("第二个冒号后应是状态", "a state is expected here")
            third = statuses().get(fold(token.text))
            if third is None:
                raise QueryError(
                    token.at,
                    f"没有状态“{token.text}”，可用：{_names_of_statuses()}",
                    "no such state",
                )
        return field_condition(self._words(subject), field, value, third)

    def _unknown(self, subject: Token, value: Token) -> NoReturn:
        names = "、".join(dict.fromkeys(field.name for field in fields().values()))
        raise QueryError(
            subject.at,
            f"没有字段“{subject.text}”（可用：{names}），“{value.text}”也不是状态"
            f"（可用：{_names_of_statuses()}）",
            "neither a field nor a state is known by these names",
        )

    def _word(self, zh: str, en: str) -> Token:
        token = self._next
        if token.kind not in ("word", "quoted"):
            raise QueryError(token.at, zh, en)
        self._at += 1
        return token

    def _words(self, first: Token) -> str:
        """The query from ``first`` to what was read last."""
        return self._query[first.at : self._tokens[self._at - 1].end]


def _names_of_statuses() -> str:
    return "、".join(dict.fromkeys(status.name for status in statuses().values()))
