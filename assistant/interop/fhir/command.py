"""``bedside fhir``: read a Bundle, or a patient from a FHIR R4 server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from assistant.interop.fhir.incoming import Incoming

app = typer.Typer(
    no_args_is_help=True, help="FHIR R4: read a Bundle, or a patient from the hospital's server."
)
AsJson = Annotated[bool, typer.Option("--json", help="Encounter and problems as JSON.")]
Mapping = Annotated[
    Path | None, typer.Option(help="The hospital's own rows of the mapping; default: home folder.")
]
MOST_BYTES = 200_000_000


@app.command(epilog="例 Example: bedside fhir read bundle.json --json")
def read(
    file: Annotated[Path, typer.Argument(help="A Bundle or a resource as JSON.")],
    patient: Annotated[str, typer.Option(help="Default: the only Patient of it.")] = "",
    encounter: Annotated[str, typer.Option(help="Default: the only Encounter of it.")] = "",
    mapping: Mapping = None,
    as_json: AsJson = False,
) -> None:
    """Read a Bundle as an encounter; what was left out, and why, goes to standard error."""
    from assistant.interop.fhir.body import BodyInvalid, parsed

    try:
        if file.stat().st_size > MOST_BYTES:
            raise typer.BadParameter("文件过大。(The file is too large.)")
        body = parsed(file.read_bytes())
    except OSError as error:
        raise typer.BadParameter(
            f"无法读取 {file}，请检查路径。(The file cannot be read.)"
        ) from error
    except BodyInvalid as error:
        raise typer.BadParameter(str(error)) from error
    _show(_read([body], patient, encounter, mapping), as_json)


@app.command(
    epilog="例 Example: bedside fhir fetch https://his.example/fhir --patient p1 --encounter e1"
)
def fetch(
    server: Annotated[str, typer.Argument(help="Base address; - takes `fhir.server`.")],
    patient: Annotated[str, typer.Option(help="The Patient's id on the server.")],
    encounter: Annotated[str, typer.Option(help="The Encounter's id on the server.")],
    mapping: Mapping = None,
    as_json: AsJson = False,
) -> None:
    """Read one stay from a FHIR R4 server; the token is the setting `fhir.token`."""
    import asyncio

    from assistant.interop.fhir.searching import Limits, Search, ServerFailed
    from assistant.settings import Settings

    settings = Settings().fhir
    base = settings.server if server == "-" else server
    if not base.startswith(("http://", "https://")):
        raise typer.BadParameter("地址须以 http:// 或 https:// 开头。(Give an http(s) address.)")
    # Our token is for our server alone.
    token = settings.token.get_secret_value() if base == settings.server else ""
    search = Search(base, token, Limits(pages=settings.pages, seconds=settings.seconds))
    try:
        asyncio.run(search.record(patient, encounter))
    except ServerFailed as error:
        raise typer.BadParameter(str(error)) from error
    found = _read(search.resources, patient, encounter, mapping)
    found.problems.extend(search.problems.all())
    _show(found, as_json)


def _read(
    resources: list[dict[str, object]], patient: str, encounter: str, own: Path | None
) -> Incoming:
    from assistant.interop.fhir.incoming import IncomingRefused, read_resources
    from assistant.interop.fhir.mapping import OWN_FILE, MappingInvalid, load
    from assistant.settings import Settings

    if own is not None and not own.is_file():
        raise typer.BadParameter(f"没有 {own} 这个文件。(No such file.)")
    try:
        table = load(own or Settings().home / OWN_FILE)
        return read_resources(resources, patient, encounter, table)
    except (IncomingRefused, MappingInvalid) as error:
        raise typer.BadParameter(str(error)) from error


def _show(found: Incoming, as_json: bool) -> None:
    from assistant.commands.progress import console

    if as_json:
        print(found.model_dump_json(indent=1))
        return
    for note in found.encounter.all_notes():
        print(f"【{note.title}】\n{note.text}\n")
    for problem in found.problems:
        style = {"error": "red", "warning": "yellow"}.get(problem.severity, "")
        console.print(
            f"{problem.resource} {problem.detail}", style=style, markup=False, highlight=False
        )
