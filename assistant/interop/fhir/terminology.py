"""Addresses of the code systems that FHIR R4 resources name (hl7.org/fhir/R4/terminologies)."""

from __future__ import annotations

from typing import Any

Resource = dict[str, Any]

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
INTERPRETATION = f"{TERMINOLOGY}/v3-ObservationInterpretation"
OBSERVATION_VALUE = f"{TERMINOLOGY}/v3-ObservationValue"

FLAG_CODES = {
    "high": "H", "low": "L", "normal": "N", "abnormal": "A", "positive": "POS", "negative": "NEG",
}  # fmt: skip
"""Codes of v3-ObservationInterpretation by the flags of the record."""


def status_concept(system: str, code: str) -> Resource:
    """A CodeableConcept of one code of a system of `TERMINOLOGY`."""
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code}]}
