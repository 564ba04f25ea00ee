"""``bedside records``: notes into the index, searches over it, and who may search what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from assistant.record_index.search import Found
    from assistant.store import Context

app = typer.Typer(no_args_is_help=True, help="病历搜索 search over records: load, search, grant.")


@app.command(epilog="Example: bedside records load /srv/notes.jsonl --access 呼吸科")
def load(
    path: Annotated[
        Path, typer.Argument(exists=True, help="Text, JSON, JSON lines, or a folder of them.")
    ],
    access: Annotated[
        str, typer.Option(help="Group that may search these notes; default: the whole hospital.")
    ] = "",
    ray: Annotated[
        str, typer.Option(help="Address of a Ray cluster that structures, e.g. 10.0.0.5:6379.")
    ] = "",
) -> None:
    """Structure notes and put them into the index; after a stop the same command goes on.

    A line of JSON lines: {"id", "patient_id", "encounter_id", "title", "written_at", "text"}.
    """
    from assistant.commands.progress import console, progress
    from assistant.opening import open_store
    from assistant.record_index.cluster import ClusterRefused
    from assistant.record_index.load import load as load_notes
    from assistant.settings import Settings

    try:
        with progress() as report:
            done = load_notes(
                open_store(Settings()),
                path,
                _operator(),
                access=access,
                ray=ray,
                report=lambda done, total: report(done, total, "records"),
            )
    except ClusterRefused as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    for problem in done.unread:
        console.print(f"未处理 left out: {problem}", style="yellow", markup=False, soft_wrap=True)
    console.print(f"{done.new} 份新入库 new, {done.kept} 份已有 kept")
    if done.unread or not (done.new or done.kept):
        raise typer.Exit(1)


@app.command(epilog='Example: bedside records search "EGFR:阳性 AND NOT 胸腔积液" --csv')
def search(
    query: Annotated[str, typer.Argument(help="In the query language, or with --words in words.")],
    words: Annotated[bool, typer.Option("--words", help="Translate words; shown first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The cohort as a table.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="File for the whole cohort: .csv, .parquet, .json (Group).")
    ] = None,
    per: Annotated[str, typer.Option(help="What is counted: patient or note.")] = "patient",
    limit: Annotated[int, typer.Option(min=1, max=200, help="Rows that are shown.")] = 20,
    identified: Annotated[
        bool, typer.Option("--identified", help="Keep ids, days and texts as they are.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Run a translated query unasked.")] = False,
) -> None:
    """Patients (or notes) of whom a query holds, with the places that say so."""
    import json
    from dataclasses import asdict

    from assistant.commands.progress import console
    from assistant.opening import open_store
    from assistant.record_index import cohort as cohorts
    from assistant.record_index.access import Caller
    from assistant.record_index.search import search as run
    from assistant.record_index.shown import deidentified
    from assistant.record_index.words import translate
    from assistant.settings import Settings

    if per not in ("patient", "note"):
        raise typer.BadParameter("--per is patient or note")
    if out is not None and out.suffix not in (".csv", ".parquet", ".json"):
        raise typer.BadParameter("--out ends with .csv, .parquet or .json")
    unit: Literal["patient", "note"] = "note" if per == "note" else "patient"
    if words:
        query = translate(query)
        console.print(f"检索式 query: {query}", markup=False, soft_wrap=True)
        if not yes:
            typer.confirm("按此检索？ Search so?", abort=True, err=True)
    store = open_store(Settings())
    caller = Caller(_operator(), None)
    if out is not None or as_csv:
        whole = cohorts.cohort(store, caller, query, unit=unit, identified=identified)
        if out is None:
            print(cohorts.as_csv(whole), end="")
        elif out.suffix == ".json":
            group = json.dumps(cohorts.as_group(whole), ensure_ascii=False, indent=1)
            out.write_text(f"{group}\n", encoding="utf-8")
        else:
            cohorts.write_table(whole, out)
        console.print(f"{whole.total} 行 rows")
        return
    found = run(store, caller, query, unit=unit, limit=limit)
    found = found if identified else deidentified(store, found)
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False))
        return
    _print(found)


@app.command(epilog="Example: bedside records grant dr-wang 呼吸科")
def grant(
    actor: Annotated[str, typer.Argument(help="The actor of a key.")],
    access: Annotated[str, typer.Argument(help="A group of notes, as given to load.")],
    revoke: Annotated[bool, typer.Option("--revoke", help="Take it away.")] = False,
) -> None:
    """Let somebody search a group of notes beside those of the whole hospital."""
    from assistant.commands.progress import console
    from assistant.opening import open_store
    from assistant.record_index import access as groups
    from assistant.settings import Settings

    store = open_store(Settings())
    if not revoke:
        groups.grant(store, actor, access, _operator())
    elif not groups.revoke(store, actor, access, _operator()):
        console.print("[red]没有这项授权 no such grant[/red]")
        raise typer.Exit(1)
    for row in groups.grants(store):
        console.print(f"{row.actor_id}\t{row.access}", markup=False)


def _print(found: Found) -> None:
    from rich.table import Table

    from assistant.commands.progress import console

    for notice in found.notices:
        console.print(notice, style="yellow", markup=False, soft_wrap=True)
    shown = Table("patient", "condition", "date", "note", "place", "text")
    for row in found.rows:
        for one in row.evidence:
            said = f"{one.before}【{one.text}】{one.after}".replace("\n", " ")
            place = f"{one.start}-{one.end}"
            shown.add_row(row.patient_id, one.condition, one.on_date, one.note_id, place, said)
        if not row.evidence:
            shown.add_row(row.patient_id, "", row.last_day, row.note_id, "", "")
    console.print(f"{found.total} 名（份） found")
    console.print(shown, markup=False)


def _operator() -> Context:
    """Who searches at the machine itself, in the audit."""
    from assistant.store import Context

    return Context.operator("cli")
