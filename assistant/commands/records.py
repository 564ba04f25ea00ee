"""``bedside audit``, ``feedback``, ``key`` and ``purge``: what an administrator does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from assistant.commands.progress import console
from assistant.opening import open_store
from assistant.settings import Settings
from assistant.work.roles import Role

if TYPE_CHECKING:
    from assistant.store import Context


audit = typer.Typer(no_args_is_help=True, help="The audit log: verify, list.")
feedback = typer.Typer(no_args_is_help=True, help="Feedback: export.")
key = typer.Typer(no_args_is_help=True, help="API keys: create, list, revoke.")


@audit.command()
def verify() -> None:
    """Walk the whole chain; exit status 1 when it was changed."""
    report = open_store(Settings()).audit.verify()
    if not report.ok:
        console.print(f"[red]审计链已损坏 broken at {report.first_bad_seq}: {report.reason}[/red]")
        raise typer.Exit(1)
    console.print(
        f"审计链完好 intact: {report.rows} rows, head {report.head_seq} {report.head_hash}"
    )


@audit.command("list")
def listing(
    patient: Annotated[str | None, typer.Option(help="Only rows about this patient id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """The newest rows."""
    store = open_store(Settings())
    store.audit.record(_operator(), "audit.list", "audit")
    table = Table("seq", "at", "actor", "role", "action", "object")
    for row in store.audit.list(patient_id=patient, limit=limit):
        table.add_row(
            str(row.seq),
            row.at[:19],
            row.actor_id,
            row.actor_role,
            row.action,
            f"{row.object_type} {row.object_id}",
        )
    console.print(table)


@feedback.command(epilog="Example: bedside feedback export --out pairs.jsonl")
def export(
    out: Annotated[
        Path | None, typer.Option(help="File to write; default: standard output.")
    ] = None,
    identified: Annotated[
        bool, typer.Option("--identified", help="Keep names, numbers and dates.")
    ] = False,
) -> None:
    """(prompt, chosen, rejected) as JSON lines; names, numbers and dates replaced by default."""
    store = open_store(Settings())
    file = out.open("w", encoding="utf-8") if out else sys.stdout
    count = 0
    for pair in store.feedback_pairs(deidentify=not identified, actor=_operator()):
        count += 1
        file.write(json.dumps(pair, ensure_ascii=False, default=str) + "\n")
    if out:
        file.close()
    console.print(f"{count} 条 pairs")


@key.command(epilog="Example: bedside key create cdss --role system --label 门诊CDSS")
def create(
    actor: Annotated[str, typer.Argument(help="Whom the key stands for.")],
    role: Annotated[
        Role,
        typer.Option(
            metavar="ROLE",
            help="system (a CDSS), doctor, nurse, pharmacist, student, auditor or admin.",
        ),
    ] = "system",
    label: Annotated[str, typer.Option(help="A note for yourself.")] = "",
) -> None:
    """Make an API key; it is shown once and kept as a hash only."""
    key_id, secret = open_store(Settings()).api_keys.create(actor, role, label, by=_operator())
    console.print(f"id {key_id}\n只显示这一次 shown only once:")
    print(secret)


@key.command("list")
def list_keys() -> None:
    """All keys, without their secrets."""
    table = Table("id", "actor", "role", "label", "revoked")
    for row in open_store(Settings()).api_keys.list():
        table.add_row(row.id, row.actor_id, row.role, row.label, str(row.revoked_at or ""))
    console.print(table)


@key.command()
def revoke(key_id: str) -> None:
    """Make a key useless at once."""
    if not open_store(Settings()).api_keys.revoke(key_id, by=_operator()):
        console.print("[red]没有这个有效的密钥 no such valid key[/red]")
        raise typer.Exit(1)


def purge(
    patient: Annotated[str, typer.Option(help="Patient id.")] = "",
    older_than_days: Annotated[int, typer.Option(min=0, help="All patients, by age.")] = 0,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a patient's requests, drafts and feedback text for good; the audit stays."""
    if bool(patient) == bool(older_than_days):
        raise typer.BadParameter("give either --patient or --older-than-days")
    if not yes:
        typer.confirm("删除后不能恢复，继续？ This cannot be undone. Go on?", abort=True)
    store = open_store(Settings())
    counts = (
        store.purge_patient(patient, _operator())
        if patient
        else store.purge_expired(older_than_days, _operator())
    )
    console.print(f"已删除 purged: {counts}")


def _operator() -> Context:
    """Who administers, in the audit."""
    from assistant.store import Context

    return Context.operator("cli")
