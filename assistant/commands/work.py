"""What the commands of tasks share: read a file, do the work without a server, print statements."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from rich.markup import escape

from assistant.commands.progress import console
from assistant.record.encounter import Encounter
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.work.events import Event
    from assistant.work.registry import Registry
    from assistant.work.task import AnyTask

EncounterT = TypeVar("EncounterT", bound=Encounter)
File = Annotated[Path, typer.Argument(help="JSON or plain text; - is standard input.")]
Patient = Annotated[str, typer.Option(help="Patient id, for plain text.")]
OPERATOR = "cli"


def model_of(draft: dict[str, Any]) -> str:
    """The model that wrote a draft, with what it is good for."""
    return f"{draft['model']} 仅供演示 demo only" if draft["demo_only"] else str(draft["model"])


def print_statements(statements: list[dict[str, Any]], prefix: str = "") -> None:
    """For a person at a terminal, what nothing supports marked."""
    for statement in statements:
        if statement["status"] == "supported":
            console.print(prefix + statement["text"], markup=False, highlight=False)
        else:
            why = "、".join(dict.fromkeys(p["kind"] for p in statement["problems"]))
            console.print(
                f"{prefix}⚠ {statement['text']}  （无依据 unsupported: {why}）",
                markup=False,
                highlight=False,
                style="yellow",
            )


def load(file: Path) -> dict[str, Any] | str:
    """A JSON object, or else the text.

    Raises `typer.BadParameter` for what is neither, so that nothing is taken for what it is not.
    """
    if str(file) != "-" and not file.is_file():
        raise typer.BadParameter(f"there is no file {file}")
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror or error}") from None
    text = _decoded(raw)
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        # What was meant as JSON and is cut short would pass for a note without any heading.
        if file.suffix.lower() == ".json" or text.lstrip().startswith("{"):
            raise typer.BadParameter(
                "JSON 不完整或有误，请重新导出。(This JSON is broken; export it again.)"
            ) from None
        return text
    if isinstance(loaded, dict):
        return loaded
    if isinstance(loaded, list) or file.suffix.lower() == ".json":
        raise typer.BadParameter(
            "JSON 须是一个对象，一次一份病历。(The JSON must be one object; give one encounter.)"
        )
    return text


def _decoded(raw: bytes) -> str:
    """The text of UTF-16 with its mark, of UTF-8 or else of GB 18030."""
    marked = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        with contextlib.suppress(UnicodeDecodeError):
            text = raw.decode(encoding)
            if "\0" not in text:
                return text
    raise typer.BadParameter(
        "不是文本文件，请提供 UTF-8 或 GB18030 编码的文本或 JSON。"
        "(Not a text file; give text or JSON in UTF-8 or GB 18030.)"
    )


_REASONS = {"missing": "必填 (required)", "extra_forbidden": "没有这个字段 (no such field)"}


def refuse(error: ValidationError) -> NoReturn:
    """Say which fields are wrong, and end."""
    console.print(
        "[red]输入不符合接口的格式，字段见 /docs 或 docs/api.md："
        "(The input is not as in the API; for its fields see /docs or docs/api.md:)[/red]"
    )
    for item in error.errors()[:10]:
        place = ".".join(str(part) for part in item["loc"])
        said = _REASONS.get(item["type"], item["msg"])
        console.print(f"[red]{escape(f'{place}: {said}')}[/red]")
    raise typer.Exit(2)


def encounter_of(loaded: dict[str, Any] | str, patient: str, kind: type[EncounterT]) -> EncounterT:
    """An encounter as JSON, alone or in a request, or as a note of ``patient``; ends where it is
    none."""
    try:
        if isinstance(loaded, dict):
            return kind.model_validate(loaded.get("encounter", loaded))
        return kind.from_text(loaded, patient_id=patient, encounter_id="enc-cli")
    except ValidationError as error:
        refuse(error)


def drafts_of(kind: str, body: BaseModel) -> list[dict[str, Any]]:
    """As `perform`; what the task refuses ends with its sentence."""
    from assistant.work.task import Refused

    try:
        return perform(kind, body)
    except Refused as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from error


def perform(kind: str, body: BaseModel, tasks: Registry | None = None) -> list[dict[str, Any]]:
    """The drafts of a request of this kind, made here and kept in the store; prints what failed.

    Raises `assistant.work.task.Refused`.
    """
    from assistant.work.registry import installed

    tasks = tasks or installed()
    return asyncio.run(_perform(tasks[kind], body, tasks))


async def _perform(task: AnyTask, body: BaseModel, tasks: Registry) -> list[dict[str, Any]]:
    from assistant.application import build_services
    from assistant.opening import open_knowledge
    from assistant.store import Context
    from assistant.work.events import DraftReady, Failed

    settings = Settings()
    asked = task.accept(body, settings)
    context = Context(OPERATOR, "operator", asked.patient_id, asked.encounter_id)
    base, _ = open_knowledge(settings)
    parts = build_services(settings, tasks, base, workers=0)
    # An engine is opened when the task asks for it: many tasks need none.
    jobs = parts.jobs
    drafts: list[dict[str, Any]] = []
    last: Event = Failed(id="")
    try:
        await jobs.start()
        row = await jobs.submit(
            context,
            task.kind,
            asked.payload,
            asked.record_hash,
            options=asked.options or None,
            source="cli",
        )
        # A server on the same database may be quicker; then its drafts are waited for.
        working = asyncio.create_task(jobs.work_on(row.id))
        try:
            async with contextlib.aclosing(jobs.events(context, row.id)) as events:
                async for last in events:
                    if isinstance(last, DraftReady):
                        drafts.append(last.data)
            await working
        except BaseException:
            # Nobody waits for the answer any more.
            parts.store.requests.cancel(context, row.id)
            raise
    finally:
        await jobs.stop()
        await parts.engines.close()
        parts.store.close()
    if last.name != "finished":
        console.print(f"[red]{last.data.get('message') or last.name}[/red]")
        if not drafts:
            raise typer.Exit(1)
    return drafts
