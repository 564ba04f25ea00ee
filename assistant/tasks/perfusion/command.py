"""``bedside perfusion STUDY``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def perfusion(
    study: Annotated[Path, typer.Argument(help="DICOM (folder or zip), or a 4-D NIfTI.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for maps (NIfTI), pictures (PNG) and result.json.")
    ] = None,
    times: Annotated[
        Path | None, typer.Option(help="NIfTI: a file of seconds, one a line (or a JSON list).")
    ] = None,
    tr: Annotated[
        float | None, typer.Option(help="Seconds between volumes, where the files do not say.")
    ] = None,
    te: Annotated[float, typer.Option(min=0, max=500, help="Echo time of an MR NIfTI, ms.")] = 0,
    modality: Annotated[str, typer.Option(help="CT or MR, where the file does not say.")] = "",
    aif: Annotated[
        str, typer.Option(help="Arterial input: column,row,slice from 0, or a mask file.")
    ] = "",
    method: Annotated[
        str, typer.Option(help="bayes (a model), or osvd (block-circulant SVD).")
    ] = "bayes",
    no_haematocrit: Annotated[
        bool, typer.Option("--no-haematocrit", help="Without the factor of 0.733.")
    ] = False,
    density: Annotated[float, typer.Option(help="Of tissue, g/ml; 1 for pure numbers.")] = 1.04,
    no_venous_scaling: Annotated[
        bool, typer.Option("--no-venous-scaling", help="Take the arterial input as it is.")
    ] = False,
    no_motion: Annotated[bool, typer.Option("--no-motion", help="Do not look for motion.")] = False,
    no_denoise: Annotated[bool, typer.Option("--no-denoise", help="Do not reduce noise.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The result on standard output.")] = False,
) -> None:
    """Brain perfusion (CT, MR): maps, core and penumbra, report; for research only."""
    from pydantic import ValidationError

    from assistant.commands import out_folder
    from assistant.commands.progress import progress
    from assistant.tasks.perfusion.analysis import analysed
    from assistant.tasks.perfusion.files import written
    from assistant.tasks.perfusion.result import findings
    from assistant.tasks.perfusion.settings import PerfusionSettings
    from assistant.tasks.perfusion.source import artery_mask, read_study
    from assistant.tasks.perfusion.wording import sentences, stated, text_of

    try:
        settings = PerfusionSettings.model_validate(
            {
                "method": method,
                "haematocrit": not no_haematocrit,
                "density": density,
                "venous_scaling": not no_venous_scaling,
                "motion": not no_motion,
                "denoise": not no_denoise,
            }
        )
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise typer.BadParameter(
            f"选项 {place} 无效：method 为 bayes 或 osvd，density 为 0.5 到 2。(Not valid.)"
        ) from None
    if out is not None:
        out_folder.check(out)
    with progress() as report:
        report(0, 0, "读取 reading")
        read = read_study(study, times=times, step=tr, modality=modality, echo_time=te / 1000)
        report(1, 1, "读取 reading")
        artery = artery_mask(aif, read) if aif else None
        found = analysed(read, settings, artery, report)
    said = findings(found, settings)
    listed = sentences(found, said)
    maps: dict[str, str] = {}
    pictures: dict[str, str] = {}
    if out is not None:
        out_folder.make(out)
        maps, pictures = written(found, out)
    series = read.series[0] if read.series else "study"
    report_text = text_of(listed, said)
    result = said.model_dump(mode="json") | {
        "maps": maps,
        "pictures": pictures,
        "report": report_text,
        "statements": [one.model_dump(mode="json") for one in stated(listed, found, series, {})],
    }
    text = json.dumps(result, ensure_ascii=False, indent=1)
    if out is not None:
        (out / "result.json").write_text(text, "utf-8")
    print(text if as_json else report_text)
