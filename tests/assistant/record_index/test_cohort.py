"""Cohorts as tables and as a FHIR Group."""

from __future__ import annotations

import csv
import io

from fhir.resources.R4B.group import Group
from pyarrow import parquet

from assistant.record_index.access import Caller
from assistant.record_index.cohort import as_csv, as_group, as_parquet, cohort
from assistant.store import Store

QUERY = "肌酐>120umol/L AND EGFR:阳性"


def test_a_table_has_a_row_a_patient_and_is_de_identified(index: Store, doctor: Caller) -> None:
    whole = cohort(index, doctor, QUERY)
    rows = list(csv.DictReader(io.StringIO(as_csv(whole))))
    assert [row["肌酐>120umol/L value"] for row in rows] == ["135", "1.5"]
    assert [row["肌酐>120umol/L unit"] for row in rows] == ["umol/L", "mg/dL"]
    assert all(row["patient"].startswith("P-") for row in rows)
    assert "2025-05-01" not in as_csv(whole)
    named = as_csv(cohort(index, doctor, QUERY, identified=True))
    assert "2025-05-01" in named
    actions = {row.action for row in index.audit.list()}
    assert {"record.export.row", "record.export_identified.row"} <= actions


def test_parquet_and_group_say_the_same(index: Store, doctor: Caller) -> None:
    whole = cohort(index, doctor, QUERY)
    table = parquet.read_table(io.BytesIO(as_parquet(whole)))
    group = as_group(whole)
    Group.model_validate(group)
    members = [member["entity"]["identifier"]["value"] for member in group["member"]]
    assert table["patient"].to_pylist() == members
    assert group["quantity"] == 2
