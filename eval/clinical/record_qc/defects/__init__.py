"""Defects to seed, by the kind of finding that they call for."""

from __future__ import annotations

from eval.clinical.record_qc.defects import content, form, identity, orders, results
from eval.clinical.record_qc.edit import Defect

DEFECTS: dict[str, list[Defect]] = {
    **form.DEFECTS,
    **identity.DEFECTS,
    **content.DEFECTS,
    **results.DEFECTS,
    **orders.DEFECTS,
}
"""Each kind with the ways in which it comes about."""

ALSO: dict[str, set[str]] = {
    "missing_note": {"late_note", "date_order", "operation_consent", "consent_missing",
                     "plan_not_followed", "diagnosis_without_grounds",
                     "treatment_without_diagnosis", "unexplained_abnormal",
                     "critical_unaddressed"},
    "missing_signature": {"late_note"},
    "missing_part": {"missing_allergy", "diagnosis_without_grounds", "treatment_without_diagnosis"},
    "late_note": {"date_order"},
    "date_order": {"late_note"},
    "discharge_before_admission": {"late_note", "date_order", "missing_note"},
    "wrong_age": {"wrong_sex"},
    "sex_incompatible": {"wrong_sex", "diagnosis_without_grounds", "age_incompatible"},
    "age_incompatible": {"diagnosis_without_grounds", "sex_incompatible"},
    "denial_conflict": {"onset_conflict"},
    "value_conflict": {"impossible_value"},
    "diagnosis_result": {"diagnosis_without_grounds"},
    "critical_unaddressed": {"unexplained_abnormal", "diagnosis_result"},
    "impossible_value": {"value_conflict", "unit_error"},
    "unit_error": {"value_conflict", "impossible_value"},
    "copy_forward": {"value_conflict", "date_order", "wrong_name", "dose_conflict",
                     "stated_conflict", "discharge_medication", "pending_result",
                     "unexplained_abnormal", "critical_unaddressed", "missing_part",
                     "diagnosis_without_grounds", "plan_not_followed",
                     "treatment_without_diagnosis"},
    "allergy_order": {"allergy_conflict", "treatment_without_diagnosis"},
    "operation_consent": {"laterality", "sex_incompatible"},
    "allergy_conflict": {"allergy_order"},
    "laterality": {"operation_consent"},
    "discharge_medication": {"treatment_without_diagnosis"},
    "transfusion_items": {"stated_conflict"},
}  # fmt: skip
"""What a defect is as well: these marks on a seeded record are neither right nor wrong."""
