"""What ``bedside bill FOLDER`` writes: a line of JSON for each file, with a process a core."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import typer

from assistant.commands import out_folder
from assistant.commands.progress import console, progress
from assistant.tasks.bill_ocr.document import Annotate, BillDocument
from assistant.tasks.bill_ocr.duplicates import Seen
from assistant.tasks.bill_ocr.file import VERSION, files_of, open_reader
from assistant.tasks.structuring.workers import processes_for, team

NAME = "bills.jsonl"
_FILES_A_PROCESS = 2
_NAMED = 5


def read_folder(
    path: Path,
    out: Path | None,
    patient: str,
    matched: Annotate,
    *,
    as_json: bool,
    restart: bool,
) -> None:
    """Read every file of ``path``; those that ``out`` has already are left as they are.

    Exits with 1 where a file was refused, in this run or in the one that it goes on from.
    """
    files = [str(one) for one in files_of(path)]
    if not files:
        raise typer.BadParameter(f"{path} 中没有图片或 PDF。(There is no picture or PDF in it.)")
    if out is None and not as_json:
        raise typer.BadParameter("文件夹须加 --json 或 --out。(A folder needs --json or --out.)")
    seen = Seen()
    root = path if path.is_dir() else path.parent
    done: dict[str, str] = {}
    problems: dict[str, bool] = {}
    if out is not None:
        out_folder.make(out)
        done = _done(out / NAME, seen, problems, restart=restart)
    left = [one for one in files if done.get(_name(one, root)) != _digest(one)]
    processes = processes_for(len(left), _FILES_A_PROCESS) if left else 1
    threads = 1 if processes > 1 else 0
    opened = (out / NAME).open("ab") if out is not None else None
    try:
        with progress() as report, team(partial(open_reader, patient, threads), processes) as work:
            report(len(files) - len(left), len(files), "票据 bills")
            results = enumerate(work.results(left), start=len(files) - len(left) + 1)
            for number, (file, text) in results:
                line = _line(file, root, json.loads(text), seen, matched)
                problems[line["file"]] = bool(line["problem"])
                _write(opened, line)
                report(number, len(files), "票据 bills")
    finally:
        if opened is not None:
            opened.close()
    kept = len(files) - len(left)
    refused = sorted(file for file, problem in problems.items() if problem)
    said = f"{len(left)} 份新处理 new, {kept} 份已有 kept, {len(refused)} 份未能识别 refused"
    console.print(said, markup=False, soft_wrap=True)
    if refused:
        named = "、".join(refused[:_NAMED]) + ("…" if len(refused) > _NAMED else "")
        console.print(f"未能识别 refused: {named}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1)


def _name(file: str, root: Path) -> str:
    return Path(file).relative_to(root).as_posix()


def _digest(file: str) -> str:
    try:
        with Path(file).open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


def _line(
    file: str, root: Path, result: dict[str, Any], seen: Seen, matched: Annotate
) -> dict[str, Any]:
    name = _name(file, root)
    documents: list[dict[str, Any]] = []
    for content in result["documents"]:
        document = matched(BillDocument.model_validate(content))
        # Several documents of one file share its pictures.
        document.checks += seen.add(name, document, result["likeness"] if not documents else [])
        documents.append(document.model_dump(mode="json"))
    return {
        "file": name,
        "sha256": _digest(file),
        "made_by": VERSION,
        "problem": result["problem"],
        "likeness": result["likeness"],
        "documents": documents,
    }


def _write(opened: IO[bytes] | None, line: dict[str, Any]) -> None:
    data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
    if opened is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    opened.write(data)
    opened.flush()
    os.fsync(opened.fileno())


def _done(target: Path, seen: Seen, problems: dict[str, bool], *, restart: bool) -> dict[str, str]:
    """The files in ``target`` with their hashes; a line that a kill has cut is removed.

    Which of them were refused goes to ``problems``.
    """
    if restart:
        target.unlink(missing_ok=True)
    if not target.exists():
        return {}
    done: dict[str, str] = {}
    whole = 0
    for line, size in _lines(target):
        if line.get("made_by") != VERSION:
            raise typer.BadParameter(
                f"{target} 不是本版本写的，请用另一个 --out 或 --restart。"
                "(It was written by another version: another --out, or --restart.)"
            )
        whole += size
        done[line["file"]] = line["sha256"]
        problems[line["file"]] = bool(line["problem"])
        for number, content in enumerate(line["documents"]):
            document = BillDocument.model_validate(content)
            seen.add(line["file"], document, line["likeness"] if not number else [])
    if whole < target.stat().st_size:
        os.truncate(target, whole)
    return done


def _lines(target: Path) -> Iterator[tuple[dict[str, Any], int]]:
    with target.open("rb") as opened:
        for raw in opened:
            try:
                line = json.loads(raw)
            except ValueError:
                return
            if not raw.endswith(b"\n"):
                return
            yield line, len(raw)
