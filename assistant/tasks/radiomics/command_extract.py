"""``bedside radiomics extract IMAGE --mask MASK``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from assistant.tasks.radiomics.feature import Feature


def extract(
    image: Annotated[
        Path,
        typer.Argument(
            help="DICOM series (folder, zip or dicomweb:SERVER/STUDY/SERIES), NIfTI or NRRD."
        ),
    ],
    mask: Annotated[
        Path, typer.Option(help="The region: RTSTRUCT, DICOM SEG or a mask (NIfTI, NRRD).")
    ],
    roi: Annotated[
        str, typer.Option(help="The region's name, or the number of a mask's label.")
    ] = "",
    settings: Annotated[
        str, typer.Option(help="A YAML or JSON file, or a shipped name such as ibsi-c.")
    ] = "standard",
    modality: Annotated[
        str, typer.Option(help="Of NIfTI and NRRD, which do not say: CT means HU.")
    ] = "",
    reproducibility: Annotated[
        bool,
        typer.Option(
            "--reproducibility", help="Also perturb image and region: the ICC of each feature."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A list on standard output.")] = False,
) -> None:
    """Features of a region of an image by the IBSI definitions; for research only."""
    from assistant.commands.progress import console, progress
    from assistant.imaging.source import known_as, read_image, read_region
    from assistant.tasks.radiomics import extraction
    from assistant.tasks.radiomics.settings import load

    chosen = load(settings)
    volume = known_as(read_image(image), modality)
    region = read_region(mask, volume, roi)
    with progress() as report:
        features = extraction.extract(volume, region.mask, chosen, report)
        coefficients = {}
        if reproducibility:
            from assistant.tasks.radiomics.perturbation import reproduced

            coefficients = reproduced(volume, region.mask, chosen, report)
    if as_json:
        listed = [
            one.model_dump() | ({"icc": coefficients.get(one.tag)} if reproducibility else {})
            for one in features
        ]
        print(json.dumps(listed, ensure_ascii=False, indent=1))
        return
    console.print(f"科研用途 Research only · {chosen.name or settings} · {len(features)}")
    _print(features, coefficients)


def _print(features: list[Feature], coefficients: dict[str, float | None]) -> None:
    """A table on standard output, which a pipe may take."""
    for one in features:
        value = "—" if one.value is None else f"{one.value:.6g}"
        icc = coefficients.get(one.tag)
        said = f"\tICC {icc:.3f}" if icc is not None else ""
        print(f"{one.code}\t{one.tag}\t{value}\t{one.unit}\t{one.name_zh}{said}")
