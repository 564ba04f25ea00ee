"""Every check, in the order in which a reader of records would make them."""

from __future__ import annotations

from assistant.tasks.record_qc.checks.abnormal import check_critical, check_diagnosis_results
from assistant.tasks.record_qc.checks.copies import check_copies
from assistant.tasks.record_qc.checks.denials import check_denials
from assistant.tasks.record_qc.checks.drugs import (
    check_allergy_orders,
    check_doses,
    check_home,
    check_reasons,
)
from assistant.tasks.record_qc.checks.grounds import check_grounds
from assistant.tasks.record_qc.checks.identity import check_age, check_bed, check_names, check_sex
from assistant.tasks.record_qc.checks.limits import check_limits
from assistant.tasks.record_qc.checks.notes import check_notes, check_parts
from assistant.tasks.record_qc.checks.onset import check_onset
from assistant.tasks.record_qc.checks.operations import check_consent, check_transfusion
from assistant.tasks.record_qc.checks.plans import check_pending, check_plans
from assistant.tasks.record_qc.checks.restated import check_restated
from assistant.tasks.record_qc.checks.sides import check_minority, check_row_sides, check_sides
from assistant.tasks.record_qc.checks.times import check_deadlines, check_note_order, check_order
from assistant.tasks.record_qc.checks.told_doses import check_dose_jumps, check_weight_doses
from assistant.tasks.record_qc.checks.told_operations import check_earlier_operations
from assistant.tasks.record_qc.checks.values import check_stated, check_values
from assistant.tasks.record_qc.checks.wording import (
    check_abbreviations,
    check_signatures,
    check_templates,
)
from assistant.tasks.record_qc.found import Check

CHECKS: tuple[Check, ...] = (
    check_notes, check_parts, check_deadlines, check_order, check_note_order, check_signatures,
    check_templates, check_abbreviations, check_names, check_sex, check_age, check_bed,
    check_sides, check_minority, check_row_sides, check_values, check_stated, check_onset,
    check_restated, check_denials,
    check_earlier_operations, check_allergy_orders, check_doses, check_weight_doses,
    check_dose_jumps, check_diagnosis_results, check_critical, check_grounds,
    check_reasons, check_plans, check_home, check_pending, check_consent, check_transfusion,
    check_copies, check_limits,
)  # fmt: skip
