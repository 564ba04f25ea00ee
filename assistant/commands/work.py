"""``bedside ddx FILE`` and ``bedside discharge FILE``: the chains without a server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.commands.progress import console
from assistant.opening import open_knowledge, open_store
from assistant.settings import Settings

if TYPE_CHECKING:
    from pydantic import ValidationError

    from assistant.store import Context
    from assistant.store.models import RequestKind

File = Annotated[Path, typer.Argument(help="JSON or plain text; - is standard input.")]
Patient = Annotated[str, typer.Option(help="Patient id, for plain text.")]
OPERATOR = "cli"


def ddx(
    file: File,
    patient: Patient = "pat-cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Differential diagnosis of a case (JSON as in the API, or free text)."""
    from pydantic import ValidationError

    from assistant.record.record import Case
    from assistant.store import Context

    loaded = _load(file)
    if isinstance(loaded, dict):
        # The shipped samples carry a name of their own beside the case.
        loaded = {k: v for k, v in loaded.items() if k not in ("id", "title_zh", "title_en")}
    try:
        case = Case.model_validate(
            loaded
            if isinstance(loaded, dict)
            else {"patient": {"id": patient}, "encounter_id": "enc-cli", "text": loaded}
        )
    except ValidationError as error:
        _refuse(error)
    context = Context(OPERATOR, "operator", case.patient.id, case.encounter_id)
    payload = case.model_dump(mode="json")
    drafts = asyncio.run(_run(context, "differential_diagnosis", payload, case.record_hash()))
    if as_json:
        print(json.dumps(drafts, ensure_ascii=False, indent=1))
        return
    for draft in drafts:
        console.rule(f"{draft['member']}  {_model(draft)}  {draft['seconds']:.1f} s")
        for entry in [*draft["critical"], *draft["diagnoses"]]:
            mark = "[red]不可漏诊[/red] " if entry["must_not_miss"] else ""
            console.print(
                f"{mark}[bold]{entry['rank']}. {entry['name']}[/bold] {entry['icd10'] or ''}"
            )
            for key in ("supporting", "opposing", "ask", "tests", "red_flags"):
                _print_statements(entry[key], prefix=f"   {key}: ")
        for warning in draft["warnings"]:
            console.print(f"[yellow]{warning}[/yellow]")


def discharge(
    file: File,
    patient: Patient = "pat-cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Discharge record of an encounter (JSON as in the API, or free text)."""
    from pydantic import ValidationError

    from assistant.record.record import Encounter
    from assistant.store import Context

    loaded = _load(file)
    try:
        encounter = (
            Encounter.model_validate(loaded)
            if isinstance(loaded, dict)
            else Encounter.from_text(loaded, patient_id=patient, encounter_id="enc-cli")
        )
    except ValidationError as error:
        _refuse(error)
    context = Context(OPERATOR, "operator", encounter.patient.id, encounter.id)
    payload = encounter.model_dump(mode="json")
    drafts = asyncio.run(_run(context, "discharge_record", payload, encounter.record_hash()))
    if as_json:
        print(json.dumps(drafts, ensure_ascii=False, indent=1))
        return
    for draft in drafts:
        console.rule(f"{draft['title']}  {_model(draft)}")
        _print_statements(draft["statements"])
        for warning in draft["warnings"]:
            console.print(f"[yellow]{warning}[/yellow]")


def _model(draft: dict[str, Any]) -> str:
    """The model that wrote a draft, with what it is good for."""
    return f"{draft['model']} 仅供演示 demo only" if draft["demo_only"] else str(draft["model"])


def _print_statements(statements: list[dict[str, Any]], prefix: str = "") -> None:
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


def _load(file: Path) -> dict[str, Any] | str:
    if str(file) != "-" and not file.is_file():
        raise typer.BadParameter(f"there is no file {file}")
    raw = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8", errors="replace")
    with contextlib.suppress(ValueError):
        loaded = json.loads(raw)
        if isinstance(loaded, dict):
            return loaded
    return raw


def _refuse(error: ValidationError) -> None:
    for item in error.errors()[:10]:
        place = ".".join(str(part) for part in item["loc"])
        console.print(f"[red]{place}: {item['msg']}[/red]")
    raise typer.Exit(2)


async def _run(
    context: Context, kind: RequestKind, payload: dict[str, Any], record_hash: str
) -> list[dict[str, Any]]:
    from assistant.clinic import Clinic
    from assistant.engines import Engines
    from assistant.work.jobs import Event, Jobs

    settings = Settings()
    store = open_store(settings)
    base, _ = open_knowledge(settings)
    engines = Engines(settings)
    clinic = Clinic(settings, store, engines, base)
    engines.start()
    jobs = Jobs(store, clinic, workers=0, limit=settings.max_waiting)
    drafts: list[dict[str, Any]] = []
    last = Event("failed", {})
    try:
        await jobs.start()
        row = await jobs.submit(context, kind, payload, record_hash)
        # A server on the same database may be quicker; then its drafts are waited for.
        working = asyncio.create_task(jobs.work_on(row.id))
        try:
            async with contextlib.aclosing(jobs.events(context, row.id)) as events:
                async for last in events:
                    if last.name == "draft":
                        drafts.append(last.data)
            await working
        except BaseException:
            # Nobody waits for the answer any more.
            store.requests.cancel(context, row.id)
            raise
    finally:
        await jobs.stop()
        await engines.close()
        store.close()
    if last.name != "finished":
        console.print(f"[red]{last.data.get('message') or last.name}[/red]")
        if not drafts:
            raise typer.Exit(1)
    return drafts
