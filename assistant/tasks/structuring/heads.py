"""Findings named by their form: a body part or a test with a word of ``data/heads.tsv`` behind it,
an infection by where or by what."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files

from assistant.tasks.structuring.span import EntityType
from knowledge.text.folding import fold

# 肿 is no 肿么, 痛 no 痛风, 炎 no 炎性; a head in letters ends as a word.
_GOES_ON = re.compile(r"(?<=痛)(?:风|经|苦|觉|点)|(?<=[a-z])[a-z0-9]|(?<=病变)型|(?<=肿)瘤")
_NO_RESULT = re.compile(r"(?!(?:至|到|为|:|了)?[ \t]*[<>]?\d)")


@lru_cache(maxsize=1)
def words() -> dict[tuple[str, str], list[str]]:
    """The words of each kind and part, longest first.

    Raises:
        ValueError: a row has not three cells.
    """
    path = files("assistant.tasks.structuring") / "data" / "heads.tsv"
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 3 or not all(cells):
            raise ValueError(f"heads, line {number}: expected kind, part and words")
        found[cells[0], cells[1]].update(fold(word) for word in cells[2].split("、"))
    return {key: sorted(value, key=lambda word: (-len(word), word)) for key, value in found.items()}


def _any_of(kind: str, part: str) -> str:
    return "|".join(map(re.escape, words().get((kind, part), ())))


def _named(kind: str) -> re.Pattern[str]:
    after = _any_of(kind, "after")
    return re.compile(
        rf"(?:{_any_of(kind, 'before')}){{0,3}}(?:{_any_of(kind, 'head')})"
        + (rf"(?:{after})?" if after else "")
    )


@lru_cache(maxsize=1)
def _of_parts() -> tuple[tuple[re.Pattern[str], EntityType], ...]:
    kinds = (EntityType.SIGN, EntityType.DISEASE, EntityType.SYMPTOM)
    return tuple((_named(kind.value), kind) for kind in kinds)


@lru_cache(maxsize=1)
def _of_tests() -> re.Pattern[str]:
    return re.compile(_named("test").pattern + _NO_RESULT.pattern)


@lru_cache(maxsize=1)
def _infection() -> re.Pattern[str]:
    named = f"{_any_of('infection', 'where')}|{_any_of('infection', 'what')}"
    return re.compile(rf"(?<![a-z0-9])(?:{named})性?感染")


def head_of_part(folded: str, end: int) -> tuple[int, EntityType] | None:
    """Where the finding ends that the body part before ``end`` begins, and what it is."""
    found = [
        (match.end(), kind)
        for pattern, kind in _of_parts()
        if (match := pattern.match(folded, end)) and not _GOES_ON.match(folded, match.end())
    ]
    return max(found, key=lambda each: each[0], default=None)


def head_of_test(folded: str, end: int) -> int | None:
    """Where the sign ends that the test before ``end`` begins; None where its result is told."""
    match = _of_tests().match(folded, end)
    return match.end() if match else None


def infections(folded: str) -> Iterator[tuple[int, int]]:
    """Infections by where or by what: 泌尿系感染, 新型冠状病毒感染."""
    for match in _infection().finditer(folded):
        yield match.span()


@lru_cache(maxsize=1)
def _parts() -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9])(?:{_any_of('part', 'where')})")


def other_parts(folded: str) -> Iterator[tuple[int, int]]:
    """What bears a finding as a body part does (切口, 无名指, 腰4/5)."""
    for match in _parts().finditer(folded):
        yield match.span()


_SYNDROME = re.compile(r"[\u4e00-\u9fffa-z0-9'-]{2,14}?综合[征症](?!状)")
_SYNDROME_LEAD = re.compile(
    r"^.*(?:诊断为?|确诊为?|考虑为?|疑似|怀疑|拟诊|提示|患有?|否认|排除|除外|合并|伴有?|继发|引起|导致|出现|发生|为|系|示|及|和|与|并|或"
    r"|因|有|无|的|未见|称|即|行|如)(?=..)"
)


def syndromes(folded: str) -> Iterator[tuple[int, int]]:
    """What is called a syndrome, whatever stands before the word (脆性X综合征)."""
    for match in _SYNDROME.finditer(folded):
        lead = _SYNDROME_LEAD.match(match[0])
        start = match.start() + (lead.end() if lead else 0)
        if match.end() - start > 4:
            yield start, match.end()
