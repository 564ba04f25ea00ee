"""Two validators that nobody here wrote: the R4B models of fhir.resources, the R4 ones of
fhirclient.  Each refuses unknown fields, wrong types and missing fields.

A third, of Node, on demand: BEDSIDE_TEST_FHIR_OUT names a file that every resource is written to,
and `node tests/fhir_validation.cjs FILE` reads it (npm install fhir@4.12.0 beside it).
"""

from __future__ import annotations

import copy
import json
import os
from importlib import import_module
from typing import Any

from fhir.resources import R4B


def validate(resource: dict[str, Any]) -> None:
    """Raises where either says that the resource is not valid."""
    kind = resource["resourceType"]
    R4B.get_fhir_model_class(kind).model_validate_json(json.dumps(resource))
    module = import_module(f"fhirclient.models.{kind.lower()}")
    made = getattr(module, kind)(copy.deepcopy(resource))
    assert made.as_json()["resourceType"] == kind
    if out := os.environ.get("BEDSIDE_TEST_FHIR_OUT"):
        with open(out, "a", encoding="utf-8") as file:
            file.write(f"{json.dumps(resource, ensure_ascii=False)}\n")
