"""``bedside radiomics extract-all CASES --out TABLE``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def extract_all(
    cases: Annotated[
        Path, typer.Argument(help="CSV with the columns id, image, mask; also roi, modality.")
    ],
    out: Annotated[Path, typer.Option(help="The table to write: a row a case.")],
    settings: Annotated[
        str, typer.Option(help="A YAML or JSON file, or a shipped name such as ibsi-c.")
    ] = "standard",
    jobs: Annotated[int, typer.Option(min=0, max=256, help="Processes; 0: one a core.")] = 0,
    restart: Annotated[bool, typer.Option("--restart", help="Write the table anew.")] = False,
) -> None:
    """Features of every case of a list, on all cores, going on after a stop; research only."""
    from assistant.commands import out_folder
    from assistant.commands.progress import console, progress
    from assistant.tasks.radiomics import batch
    from assistant.tasks.radiomics.settings import load

    chosen, found = load(settings), batch.read_cases(cases)
    processes = jobs or len(os.sched_getaffinity(0))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        # A core has a process already.
        os.environ.setdefault(name, "1")
    out_folder.make(out.parent)
    if out.is_dir():
        raise typer.BadParameter(f"{out} 是文件夹，请写文件名。(It is a folder; name a file.)")
    if restart:
        out.unlink(missing_ok=True)
    with progress() as report:
        failed = batch.extract_all(found, cases.parent, out, chosen, processes, report)
    console.print(f"科研用途 Research only · {len(found)} 例 cases · {failed} 例未能提取 failed")
    if failed:
        raise typer.Exit(1)
