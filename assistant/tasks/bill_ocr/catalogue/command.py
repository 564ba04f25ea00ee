"""The insurer's catalogue (目录比对): import lists, match names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from assistant.tasks.bill_ocr.catalogue.entry import Entry, Match, Written
    from assistant.tasks.bill_ocr.catalogue.matching import Memory
    from assistant.tasks.bill_ocr.catalogue.search import Catalogue
    from assistant.tasks.bill_ocr.document import Annotate, BillDocument

app = typer.Typer(
    no_args_is_help=True,
    help="The insurer's catalogue (目录比对): import lists, match names.",
    epilog="Examples: bedside catalogue import 药品目录.xlsx --list 医保药品; "
    "bedside catalogue match 阿莫西林胶囊 --specification 0.25g*24粒; "
    "bedside catalogue match --names names.txt --json; bedside catalogue show",
)
_MOST_NAMES = 1_000_000


@app.command(
    "import", epilog="Example: bedside catalogue import drugs.xlsx --map code=医保编码,name=通用名"
)
def import_list(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV or XLSX (first sheet).")
    ],
    column_map: Annotated[
        str,
        typer.Option(
            "--map",
            help="Columns that the header does not tell: code=…,name=… or a YAML file. Columns: "
            "code, name, specification, pack, form, maker, brand, alias, unit, class, "
            "limit_price, self_paid_share.",
        ),
    ] = "",
    name: Annotated[
        str, typer.Option("--list", help="The list that it replaces; default: the file's name.")
    ] = "",
) -> None:
    """Import a list (national or local: drugs, services, consumables); others stay."""
    from assistant.commands.progress import progress
    from assistant.settings import Settings
    from assistant.tasks.bill_ocr.catalogue.building import build, kept_entries
    from assistant.tasks.bill_ocr.catalogue.columns import MapError, read_map
    from assistant.tasks.bill_ocr.catalogue.list_file import ListError, Tally, read_list
    from assistant.tasks.bill_ocr.catalogue.opening import catalogue_path

    path = catalogue_path(Settings().home)
    listed = name or file.stem
    tally = Tally()
    try:
        entries = _counted(read_list(file, read_map(column_map), listed, tally))
        with progress() as report:
            count = build(path, chain(entries, kept_entries(path, listed)), report)
    except (ListError, MapError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"目录“{listed}”已导入，共 {count} 条（含其他目录）。({count} entries in all.)")
    if tally.lacking:
        typer.echo(
            f"有 {tally.lacking} 行缺编码或名称，未导入。(Rows without code or name were left out.)"
        )
    if tally.repeated:
        typer.echo(f"有 {tally.repeated} 行完全重复，只留一行。(Repeated rows were taken once.)")


def _counted(entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries; a list without any is an error, not an empty catalogue."""
    from assistant.tasks.bill_ocr.catalogue.list_file import ListError

    empty = True
    for entry in entries:
        empty = False
        yield entry
    if empty:
        raise ListError("目录里没有一行有编码和名称。(No row has code and name.)")


@app.command(
    "match",
    epilog='Example: bedside catalogue match "阿莫西林胶囊" --specification 0.25g*24粒 --json',
)
def match_name(
    name: Annotated[str, typer.Argument(help="As it stands on the bill.")] = "",
    specification: Annotated[str, typer.Option(help="Strength and pack.")] = "",
    form: Annotated[str, typer.Option(help="The dosage form.")] = "",
    maker: Annotated[str, typer.Option(help="The maker.")] = "",
    names: Annotated[
        Path | None,
        typer.Option(
            "--names",
            exists=True,
            dir_okay=False,
            help="A file of many: JSON lines (name, specification, form, maker), or names alone.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON; for --names one a line.")] = False,
) -> None:
    """The entry that a written name is, or why none is chosen."""
    from assistant.tasks.bill_ocr.catalogue.entry import Written
    from assistant.tasks.bill_ocr.catalogue.matching import match

    if bool(name) == (names is not None):
        raise typer.BadParameter("请给出一个名称，或用 --names 给出文件。(A name or --names.)")
    catalogue = _opened()
    if names is None:
        asked = Written(name=name, specification=specification, form=form, maker=maker)
        _print(match(catalogue, asked, _memory()), asked, as_json)
        raise typer.Exit
    memory = _memory()
    for asked in _read_names(names):
        _print(match(catalogue, asked, memory), asked, as_json)


@app.command("show", epilog="Example: bedside catalogue show")
def show() -> None:
    """The lists that are imported, and how many entries each has."""
    for name, count in sorted(_opened().counts().items()):
        typer.echo(f"{name}\t{count}")


def as_read(document: BillDocument) -> BillDocument:
    """A document as it was read."""
    return document


def matcher() -> Annotate:
    """What matches the items of documents with the catalogue; exits with 1 where there is none."""
    from assistant.tasks.bill_ocr.catalogue.annotating import annotate

    catalogue, memory = _opened(), _memory()
    return lambda document: annotate(document, catalogue, memory)


def _opened() -> Catalogue:
    from assistant.settings import Settings
    from assistant.tasks.bill_ocr.catalogue.opening import open_catalogue
    from assistant.tasks.bill_ocr.catalogue.search import CatalogueMissing

    try:
        return open_catalogue(Settings().home)
    except CatalogueMissing as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _memory() -> Memory:
    """What people have taught, where there is a store already."""
    from assistant.opening import open_store
    from assistant.settings import Settings
    from assistant.store import StoreError
    from assistant.tasks.bill_ocr.catalogue.matching import NOTHING
    from assistant.tasks.bill_ocr.catalogue.opening import StoreMemory

    settings = Settings()
    if not settings.database_url and not (settings.home / "bedside.db").exists():
        return NOTHING
    try:
        return StoreMemory(open_store(settings))
    except StoreError as error:
        typer.echo(str(error), err=True)
        return NOTHING


def _read_names(path: Path) -> Iterator[Written]:
    from pydantic import ValidationError

    from assistant.tasks.bill_ocr.catalogue.entry import Written

    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if not text or number > _MOST_NAMES:
                continue
            if not text.startswith("{"):
                yield Written(name=text)
                continue
            try:
                yield Written.model_validate_json(text)
            except ValidationError:
                typer.echo(f"第 {number} 行不是有效的 JSON。(Not valid.)", err=True)
                raise typer.Exit(1) from None


def _print(found: Match, asked: Written, as_json: bool) -> None:
    if as_json:
        row = {"name": asked.name, **found.model_dump(mode="json")}
        typer.echo(json.dumps(row, ensure_ascii=False))
        return
    if found.entry is None:
        typer.echo(f"{asked.name}：{found.message}")
    else:
        entry = found.entry
        parts = (entry.code, entry.name, entry.specification, entry.maker, entry.category)
        typer.echo(f"{' '.join(part for part in parts if part)}（{found.confidence:.3f}）")
    for one in found.candidates:
        against = f" ✗ {'、'.join(one.conflicts)}" if one.conflicts else ""
        typer.echo(f"  {one.entry.code} {one.entry.name} {one.entry.specification}{against}")
