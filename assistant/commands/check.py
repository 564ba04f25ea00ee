"""``bedside check``: what any system wrote, held against the record."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from assistant.grounding.checker import CheckedStatement, Checker, FindingsOf, checker
from assistant.record.case import Case
from assistant.record.encounter import Encounter

RecordFile = Annotated[
    Path | None,
    typer.Option(help="The record: plain text, or an encounter or case in JSON; - is stdin."),
]
Statements = Annotated[list[str] | None, typer.Option("--statement", help="Repeatable.")]
StatementsFile = Annotated[
    Path | None, typer.Option("--statements", help="One statement a line; - is stdin.")
]
Pairs = Annotated[
    Path | None,
    typer.Option(help='JSON lines of {"record": ..., "statement": ...}; - is stdin.'),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="One list of statement, status, problems, evidence.")
]
Pair = tuple[str | Case | Encounter, str]


def check(
    record: RecordFile = None,
    statement: Statements = None,
    statements: StatementsFile = None,
    pairs: Pairs = None,
    as_json: AsJson = False,
) -> None:
    """Hold statements against a record: supported or not, why not, and where it says so.

    No model and no server takes part.  Without a built knowledge base the terms that come with
    Bedside are used.
    """
    if (pairs is None) == (record is None):
        raise typer.BadParameter("give either --record or --pairs")
    if record is not None and not statement and statements is None:
        raise typer.BadParameter("give --statement or --statements with --record")
    if pairs is not None and (statement or statements):
        raise typer.BadParameter("--pairs has its own statements")
    if record is not None and str(record) == str(statements) == "-":
        raise typer.BadParameter("only one of them can be standard input")
    found = list(_checked(pairs, record, statement or [], statements))
    if as_json:
        listed = [item.model_dump(mode="json") for item in found]
        print(json.dumps(listed, ensure_ascii=False, indent=1))
    else:
        _show(found)


def _checked(
    pairs: Path | None, record: Path | None, statement: list[str], statements: Path | None
) -> Iterator[CheckedStatement]:
    if pairs is not None:
        wanted: list[Pair] = list(_pairs(_text(pairs), str(pairs)))
    else:
        assert record is not None
        about = record_of(_text(record), str(record))
        lines = _text(statements).splitlines() if statements is not None else []
        wanted = [(about, one) for one in [*statement, *(li.strip() for li in lines if li.strip())]]
    findings_of = findings_reader()
    last: tuple[object, Checker] | None = None
    for about, one in wanted:
        if last is None or last[0] != about:
            last = (about, checker(about, findings_of))
        yield last[1].check(_clean(one))


def _pairs(text: str, name: str) -> Iterator[Pair]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise typer.BadParameter(f"{where}: not JSON") from None
        if not isinstance(row, dict) or not isinstance(row.get("statement"), str):
            raise typer.BadParameter(f"{where}: expected record and statement")
        about = row.get("record")
        if isinstance(about, dict):
            yield _structured(about, where), row["statement"]
        elif isinstance(about, str):
            yield _clean(about), row["statement"]
        else:
            raise typer.BadParameter(f"{where}: expected a record, a text or an object")


def record_of(text: str, name: str) -> str | Case | Encounter:
    """An encounter or a case where the file is JSON, else the text as it is."""
    named_json = name.lower().endswith(".json")
    if not named_json and not text.lstrip().startswith("{"):
        return _clean(text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        if named_json:
            raise typer.BadParameter(f"{name}: not JSON") from None
        return _clean(text)
    if isinstance(value, dict):
        return _structured(value, name)
    raise typer.BadParameter(f"{name}: expected an encounter or a case")


_SHOWN_ONLY = ("title_zh", "title_en")


def _structured(value: dict[str, Any], where: str) -> str | Case | Encounter:
    """The object as the API takes it; the samples' own titles are left out."""
    value = value.get("encounter", value) if isinstance(value.get("encounter"), dict) else value
    if set(value) <= {"text", "id", "title"} and isinstance(value.get("text"), str):
        return _clean(value["text"])
    value = {key: item for key, item in value.items() if key not in _SHOWN_ONLY}
    wanted: type[Case] | type[Encounter] = Encounter
    if "encounter_id" in value:
        wanted, value = Case, {key: item for key, item in value.items() if key != "id"}
    try:
        return wanted.model_validate(value)
    except ValidationError as error:
        fields = "、".join(".".join(map(str, e["loc"])) for e in error.errors()[:5])
        raise typer.BadParameter(f"{where}: no valid {wanted.__name__.lower()}: {fields}") from None


def findings_reader() -> FindingsOf:
    """What reads findings: the terms of the built base, else those that ship."""
    from assistant.settings import Settings
    from knowledge.shipped import shipped_lexicon
    from knowledge.text.extraction import FindingExtractor

    folder = Settings().knowledge_folder
    if folder.exists():
        from knowledge.base import KnowledgeMissing, open_lexicon

        try:
            return FindingExtractor(open_lexicon(folder)).extract
        except KnowledgeMissing as error:
            typer.echo(str(error), err=True)
    return FindingExtractor(shipped_lexicon()).extract


def _text(file: Path) -> str:
    """The file, or standard input for ``-``; UTF-8, else GB 18030."""
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror or error}") from None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", errors="replace")


_SURROGATE = re.compile("[\ud800-\udfff]")


def _clean(text: str) -> str:
    """A lone surrogate cannot be printed; the length stays, as offsets count on it."""
    return _SURROGATE.sub("\ufffd", text)


_KINDS = {
    "number": "数值", "unit": "单位", "date": "日期", "drug": "药物", "dose": "用法用量",
    "laterality": "侧别", "negation": "否定或方向", "certainty": "确定性", "earlier_stay": "以往",
    "wrong_patient": "他人", "no_evidence": "无依据",
}  # fmt: skip


def _show(found: list[CheckedStatement]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "陈述 statement", "问题 problems", "依据 evidence", show_lines=True)
    for item in found:
        problems = "\n".join(f"{_KINDS[p.kind]} {p.kind}: {p.text}" for p in item.problems)
        quotes = "\n".join(e.quote for e in item.evidence)
        mark = "✓" if item.status == "supported" else "✗"
        table.add_row(mark, escape(item.statement), escape(problems), escape(quotes))
    console = Console()
    console.print(table)
    refused = sum(item.status == "unsupported" for item in found)
    console.print(f"{len(found) - refused} 条有依据 supported, {refused} 条无依据 unsupported")
