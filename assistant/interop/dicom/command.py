"""``bedside dicom``: take studies, look at them, write results, de-identify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="DICOM: take studies from the network, write results, de-identify.",
)


@app.command(epilog="Example: bedside dicom listen --port 11112")
def listen(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
) -> None:
    """Take studies by C-STORE and work on them, without the pages; Ctrl-C ends it."""
    import asyncio

    from assistant.interop.dicom.service import serve
    from assistant.libraries import log_to_stderr
    from assistant.settings import Settings

    settings = Settings()
    log_to_stderr(settings.log_level)
    asyncio.run(serve(settings, port))


@app.command(epilog="Example: bedside dicom studies --limit 20")
def studies(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="A list on standard output.")] = False,
) -> None:
    """The studies that have arrived, newest first: state, what is missing, what was started."""
    import json

    from rich.table import Table

    from assistant.commands.progress import console
    from assistant.interop.dicom.reception import summary
    from assistant.opening import open_store
    from assistant.settings import Settings
    from assistant.store import Context

    store = open_store(Settings())
    store.audit.record(Context.operator("cli"), "study.list", "study")
    rows = store.studies.list(limit)
    if as_json:
        listed = [
            {
                "id": row.id,
                "state": row.state,
                "note": row.note,
                "arrived_at": row.arrived_at.isoformat(),
                "series": [
                    {"modality": one["modality"], "instances": one["instances"]}
                    for one in row.series.values()
                ],
                "routes": list(row.routes.values()),
            }
            for row in rows
        ]
        print(json.dumps(listed, ensure_ascii=False, indent=1))
        return
    table = Table("id", "到达 arrived", "状态 state", "序列 series", "说明 note", "任务 tasks")
    for row in rows:
        table.add_row(row.id, f"{row.arrived_at:%Y-%m-%d %H:%M}", *summary(row))
    console.print(table)


@app.command(epilog="Example: bedside dicom release 0198f0c2-0000-7000-8000-000000000001")
def release(study: Annotated[str, typer.Argument(help="Its id, from the list.")]) -> None:
    """Take a study that lacks instances as it is; its tasks are started."""
    from assistant.commands.progress import console
    from assistant.opening import open_store
    from assistant.settings import Settings
    from assistant.store import Context

    if not open_store(Settings()).studies.release(study, Context.operator("cli")):
        console.print("没有这个待补齐的检查 no such study that waits", style="red")
        raise typer.Exit(1)


@app.command(epilog="Example: bedside dicom rules --check routing.yaml")
def rules(
    check: Annotated[
        Path | None, typer.Option(help="Check this file instead of those in force.")
    ] = None,
) -> None:
    """The routing rules in force, and which of their tasks are installed."""
    from rich.table import Table

    from assistant.commands.progress import console
    from assistant.interop.dicom import routing
    from assistant.settings import Settings
    from assistant.work.registry import installed

    settings = Settings()
    found = routing.read(check).rules if check else routing.load(settings.dicom, settings.home)
    tasks = installed()
    table = Table("规则 rule", "序列 series", "任务 task", "结果 results")
    for rule in found:
        task = rule.task if rule.task in tasks else f"{rule.task}（未安装 not installed）"
        places = "；".join(
            f"{'+'.join(one.forms)} → {one.to} {one.name}".rstrip() for one in rule.results
        )
        table.add_row(rule.name, "/".join(rule.when.modality), task, places)
    console.print(table)


@app.command(epilog="Example: bedside dicom write ct/ --mask rtstruct.dcm --out seg.dcm")
def write(
    image: Annotated[
        Path, typer.Argument(help="The DICOM series: folder, zip or dicomweb:SERVER/STUDY/SERIES.")
    ],
    mask: Annotated[Path, typer.Option(help="The region: RTSTRUCT, DICOM SEG or a mask.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    form: Annotated[
        str, typer.Option("--as", help="seg, rtstruct, sr (its volume), sc, nifti or png.")
    ] = "seg",
    roi: Annotated[str, typer.Option(help="The region's name, or the number of a label.")] = "",
) -> None:
    """A region of a series as DICOM SEG, RTSTRUCT, SR, secondary capture, NIfTI or PNG."""
    from assistant.interop.dicom.writing import write_region

    write_region(image, mask, roi, form, out)


@app.command(epilog="Example: bedside dicom deidentify scans/ --out research/")
def deidentify(
    folder: Annotated[Path, typer.Argument(help="DICOM files, with those in folders below.")],
    out: Annotated[Path, typer.Option(help="A new or empty folder.")],
    keep_regions: Annotated[
        bool, typer.Option("--keep-regions", help="Keep the names of regions (GTV-1).")
    ] = False,
    without_burned: Annotated[
        bool,
        typer.Option("--without-burned", help="Leave out what may have writing in its pixels."),
    ] = False,
) -> None:
    """De-identified copies: names, dates, ids, free text and private tags go, UIDs are mapped."""
    from assistant.commands.progress import console, progress
    from assistant.interop.dicom.deidentify import Deidentifier
    from assistant.interop.dicom.export import export
    from assistant.opening import open_secret
    from assistant.settings import Settings

    made = Deidentifier(open_secret(Settings()), keep_regions=keep_regions)
    with progress() as report:
        done = export(folder, out, made, report, without_burned=without_burned)
    console.print(f"已写出 written: {done.written}")
    for why, count in done.passed_over.items():
        console.print(f"未导出 left out: {count} · {why}", markup=False)
    if done.burned:
        console.print(
            f"⚠ {done.burned} 个文件的像素里可能有姓名等文字，请逐个查看，或加 --without-burned。"
            "(Pixels may have writing: look at them.)",
            style="yellow",
        )
    if done.recognizable:
        console.print(f"⚠ {done.recognizable} 个文件可辨认面容 faces may be recognised")
    if not done.written:
        raise typer.Exit(1)
