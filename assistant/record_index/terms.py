"""Which names of the index a condition speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from assistant.record_index.entries import code_name
from assistant.record_index.errors import SearchRefused
from assistant.record_index.query import Coded, Compare, Has, Leaf, Outcome, Query, leaves
from assistant.store.record_rows import RecordTermRow

_MOST = 5_000
_SHORTEST = 2
"""Characters of a name that others may end with."""

_ANOTHER = "非类假抗伪"
"""非结核 is no 结核, 类天疱疮 no 天疱疮."""

_ESCAPE = "\\"


def terms_of(session: Session, query: Query) -> Mapping[Leaf, Sequence[int]]:
    """The numbers of the names of every condition.

    Raises `SearchRefused` where they are too many.
    """
    found: dict[Leaf, Sequence[int]] = {}
    for leaf, _ in leaves(query):
        if isinstance(leaf, Coded):
            found[leaf] = _numbers(session, _begins(code_name(leaf.code)))
        elif isinstance(leaf, Has | Outcome | Compare):
            found[leaf] = _named(session, leaf)
        if len(found.get(leaf, ())) > _MOST:
            raise SearchRefused(
                f"“{leaf.words}”太宽，涉及 {len(found[leaf])} 个名称，请写得更具体。"
                "(Too many names: be more specific.)"
            )
    if sum(map(len, found.values())) > 4 * _MOST:
        raise SearchRefused("检索式太宽，请写得更具体。(The query is too broad.)")
    return found


def _named(session: Session, leaf: Has | Outcome | Compare) -> Sequence[int]:
    name = leaf.name
    alone = not isinstance(leaf, Has) or leaf.exact or len(name) < _SHORTEST
    same = select(RecordTermRow.no, RecordTermRow.concept).where(RecordTermRow.name == name)
    numbers: set[int] = set()
    for number, concept in session.execute(same):
        numbers.add(number)
        # Other words for it are found by what the knowledge base calls it.
        if concept and not _is_exact(leaf):
            numbers.update(_numbers(session, RecordTermRow.name == concept))
    if "*" in name and not _is_exact(leaf):
        pattern = "%".join(map(_escaped, name.split("*")))
        numbers.update(_numbers(session, RecordTermRow.name.like(pattern, escape=_ESCAPE)))
    elif not alone:
        ends = RecordTermRow.name.like(f"%{_escaped(name)}", escape=_ESCAPE)
        others = [
            RecordTermRow.name.like(f"%{letter}{_escaped(name)}", escape=_ESCAPE)
            for letter in _ANOTHER
        ]
        numbers.update(_numbers(session, ends & ~or_(*others)))
    return sorted(numbers)


def _is_exact(leaf: Leaf) -> bool:
    """Whether its name stood in quotation marks: a star in it is a star."""
    return isinstance(leaf, Has) and leaf.exact


def _begins(name: str) -> ColumnElement[bool]:
    return RecordTermRow.name.like(f"{_escaped(name)}%", escape=_ESCAPE)


def _numbers(session: Session, condition: ColumnElement[bool]) -> Sequence[int]:
    return session.scalars(select(RecordTermRow.no).where(condition)).all()


def _escaped(name: str) -> str:
    for sign in (_ESCAPE, "%", "_"):
        name = name.replace(sign, _ESCAPE + sign)
    return name
