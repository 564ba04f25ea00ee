"""What ``bedside bill FILE`` prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assistant.commands.progress import console
from assistant.tasks.bill_ocr.document import Annotate, BillDocument, Cell
from assistant.tasks.bill_ocr.file import read_file
from assistant.tasks.bill_ocr.strings import COLUMNS, FIELDS, KINDS


def print_file(path: Path, patient: str, matched: Annotate, *, as_json: bool) -> None:
    """The documents of one file, as ``matched`` gives them; exits with 1 where it is refused."""
    result = read_file(path, patient)
    if result.problem:
        console.print(result.problem, style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1)
    found = [matched(document) for document in result.documents]
    if not as_json:
        for document in found:
            show(document)
        return
    documents = [document.model_dump(mode="json") for document in found]
    text = json.dumps(
        documents[0] if len(documents) == 1 else documents, ensure_ascii=False, indent=1
    )
    sys.stdout.buffer.write((text + "\n").encode("utf-8", "replace"))


def show(document: BillDocument) -> None:
    """For a person at a terminal; what is doubted is marked with a question mark."""
    out = Console()
    zh, en = KINDS[document.kind.value]
    pages = "、".join(str(page) for page in document.pages)
    out.print(f"[bold]{zh}[/bold] {en}（第 {pages} 页）")
    if document.fields:
        table = Table("项目", "内容", "存疑", show_header=False, title_justify="left")
        for name, cell in document.fields.items():
            table.add_row(FIELDS.get(name, (name, name))[0], _marked(cell), escape(cell.doubt))
        out.print(table)
    if document.items:
        names = [name for name in COLUMNS if any(name in item for item in document.items)]
        table = Table("", *(COLUMNS[name][0] for name in names))
        for number, item in enumerate(document.items, start=1):
            table.add_row(
                str(number), *(_marked(item[name]) if name in item else "" for name in names)
            )
        out.print(table)
    for check in document.checks:
        if not check.passed:
            said = "；".join(filter(None, (check.message, check.suggestion)))
            out.print(f"✗ {said}", style="yellow", markup=False, highlight=False)
    passed = sum(check.passed for check in document.checks)
    if document.checks:
        out.print(f"✓ {passed}/{len(document.checks)} 项核对通过 checks passed", markup=False)
    for warning in document.warnings:
        out.print(warning, style="yellow", markup=False, highlight=False)


def _marked(cell: Cell) -> str:
    value = escape(cell.value)
    return f"[yellow]{value} ?[/yellow]" if cell.doubt else value
