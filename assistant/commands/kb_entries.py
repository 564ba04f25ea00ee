"""``bedside kb lint``, ``entry`` and ``review``: the entries of the curated base."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.settings import Settings

if TYPE_CHECKING:
    from knowledge.clinical.entry import Entry


def lint(
    paths: Annotated[
        list[Path] | None, typer.Argument(exists=True, help="Files; default: all in use.")
    ] = None,
    codes: Annotated[
        Path | None, typer.Option(exists=True, help="A table of ICD-10 codes (TSV) to check by.")
    ] = None,
) -> None:
    """Say what is wrong with entries and findings: unknown findings, codes, names used twice.

    Ends with 1 when there is a fault.
    """
    from knowledge.clinical.entry import EntryFault, entry_files, read_entries
    from knowledge.clinical.lint import lint as faults_of
    from knowledge.clinical.lint import read_codes
    from knowledge.clinical.vocabulary import read_vocabulary, shipped_folder

    folders = [shipped_folder(), Settings().clinical_folder]
    every = [path for folder in folders for path in entry_files(folder)]
    chosen = {path.resolve() for path in paths} if paths else {p.resolve() for p in every}
    shipped = {path.resolve() for path in entry_files(shipped_folder())}
    own, faults = read_entries(sorted(chosen - shipped))
    theirs, more = read_entries(sorted(chosen & shipped))
    faults += more
    rest, _ = read_entries(path for path in every if path.resolve() not in chosen)
    # The hospital's entry of a name takes the place of the one that ships.
    replaced = {entry.name for entry in own}
    entries = [*own, *(entry for entry in theirs if entry.name not in replaced)]
    others = [entry for entry in rest if entry.name not in replaced]
    known = read_vocabulary(folders)
    faults = [*(EntryFault("findings", fault) for fault in known.faults), *faults]
    faults += faults_of(entries, known, others, read_codes(codes) if codes else None)
    for fault in faults:
        typer.echo(str(fault))
    typer.echo(
        f"{len(entries)} 个条目 entries，{len(known.findings)} 个表现 findings，"
        f"{len(known.analytes)} 个检验项目 analytes，{len(faults)} 处问题 faults"
    )
    raise typer.Exit(1 if faults else 0)


def entry(name: Annotated[str, typer.Argument(help="A disease, by any of its names.")]) -> None:
    """Show an entry as it is cited."""
    from knowledge.sources.clinical import entry_text

    typer.echo(entry_text(_entry(name)))


def review(
    name: Annotated[str, typer.Argument(help="A disease, by any of its names.")],
    by: Annotated[str, typer.Option(help="Name and title of the clinician who has read it.")],
    note: Annotated[str, typer.Option(help="What was remarked.")] = "",
) -> None:
    """Sign an entry as read: it is kept with the signature in the hospital's own folder.

    The knowledge base shows it after `bedside kb build`.
    """
    import yaml

    from assistant.whole_file import whole
    from knowledge.clinical.entry import Review
    from knowledge.sources.clinical import entry_text

    chosen = _entry(name)
    typer.echo(entry_text(chosen))
    signed = Review(status="reviewed", by=by, on=date.today().isoformat(), note=note)
    record = chosen.model_copy(update={"review": signed}).as_record()
    folder = Settings().clinical_folder / "diseases"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{chosen.name.replace('/', '-')}.yaml"
    with whole(path) as partial:
        partial.write_text(
            yaml.safe_dump([record], allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
    typer.echo(f"已签署 signed: {path}\n重建知识库后生效 then run: bedside kb build")


def _entry(name: str) -> Entry:
    from knowledge.sources import ClinicalEntries, SourceError
    from knowledge.text.folding import fold

    try:
        entries = ClinicalEntries([Settings().clinical_folder]).entries
    except SourceError as error:
        typer.echo(str(error))
        raise typer.Exit(1) from None
    for one in entries:
        if fold(name.strip()) in {fold(n) for n in (one.name, *one.names)}:
            return one
    typer.echo(f"没有“{name}”的条目。There is no entry of that name.")
    raise typer.Exit(1)
