"""``bedside radiomics``: the group of commands; each is imported when it is asked for."""

from __future__ import annotations

from assistant.lazy_commands import Row, lazy_app

ROWS = (
    Row(
        "extract",
        "assistant.tasks.radiomics.command_extract:extract",
        "Features of a region of an image by the IBSI definitions; for research only.",
        "例 Examples: bedside radiomics extract ct/ --mask rtstruct.dcm --roi GTV-1 --json\n\n"
        "bedside radiomics extract ct.nii.gz --mask mask.nii.gz --settings ibsi-c",
    ),
)

app = lazy_app(
    lambda: ROWS,
    "影像组学 Radiomics: features of an image region, models of a cohort. 科研用途 research only.",
)
