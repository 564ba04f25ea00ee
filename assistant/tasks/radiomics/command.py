"""``bedside radiomics``: the group of commands; each is imported when it is asked for."""

from __future__ import annotations

from assistant.lazy_commands import Row, lazy_app

ROWS = (
    Row(
        "extract-all",
        "assistant.tasks.radiomics.command_batch:extract_all",
        "Features of every case of a list, on all cores, going on after a stop; research only.",
        "例 Example: bedside radiomics extract-all cases.csv --out features.csv",
    ),
    Row(
        "extract",
        "assistant.tasks.radiomics.command_extract:extract",
        "Features of a region of an image by the IBSI definitions; for research only.",
        "例 Examples: bedside radiomics extract ct/ --mask rtstruct.dcm --roi GTV-1 --json\n\n"
        "bedside radiomics extract ct.nii.gz --mask mask.nii.gz --settings ibsi-c",
    ),
    Row(
        "cohort",
        "assistant.tasks.radiomics.cohort.command:cohort",
        "A table of cases → a model by nested cross-validation, and its report; for research only.",
        "例 Examples: bedside radiomics cohort cases.csv --outcome 复发 --id 编号 --out study\n\n"
        "bedside radiomics cohort cases.csv --time days --event died --site scanner --out study",
    ),
    Row(
        "predict",
        "assistant.tasks.radiomics.cohort.command:predict",
        "Predict new cases by a saved model, and say what each feature added; for research only.",
        "例 Example: bedside radiomics predict study/model.skops new.csv --id 编号 --json",
    ),
)

app = lazy_app(
    lambda: ROWS,
    "Radiomics: features of an image region, models of a cohort; for research only.",
)
