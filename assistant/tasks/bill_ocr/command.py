"""``bedside bill FILE|FOLDER``: bills as data, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bill(
    path: Annotated[
        Path,
        typer.Argument(exists=True, help="A picture, a PDF, or a folder of such files."),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON on standard output; of a folder a line a file.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Folder for bills.jsonl; a run that was stopped goes on."
        ),
    ] = None,
    patient: Annotated[
        str, typer.Option(help="Who the bills should be of; others are told of.")
    ] = "",
    catalogue: Annotated[
        bool,
        typer.Option("--catalogue", help="Match the items with the catalogue that was imported."),
    ] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Write bills.jsonl anew.")] = False,
) -> None:
    """Fields, items and checks of bills and laboratory sheets; a photo, a PDF or a folder.

    Example: bedside bill photo.jpg --json
    """
    from assistant.commands.progress import console
    from assistant.tasks.bill_ocr.catalogue.command import as_read, matcher
    from assistant.tasks.bill_ocr.command_folder import read_folder
    from assistant.tasks.bill_ocr.command_print import print_file
    from serving.ocr.models import OcrUnavailable

    matched = matcher() if catalogue else as_read
    try:
        if path.is_dir() or out is not None:
            read_folder(path, out, patient, matched, as_json=as_json, restart=restart)
        else:
            print_file(path, patient, matched, as_json=as_json)
    except OcrUnavailable as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
