"""Renal function from the newest creatinine.

Adults: CKD-EPI 2021 (Inker et al., NEJM 2021;385:1737) and Cockcroft–Gault (Nephron 1976;16:31);
children: bedside Schwartz (Schwartz et al., JASN 2009;20:629).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assistant.record.evidence import TextSpan

UMOL_PER_MG_DL = 88.4
ADULT = 18


@dataclass(frozen=True, slots=True)
class Renal:
    """``egfr`` in mL/min/1.73 m², ``clearance`` in mL/min, None where data are missing.

    ``assumed``: no weight is known, so that the eGFR stands for the clearance.
    """

    creatinine: float | None = None
    egfr: float | None = None
    clearance: float | None = None
    assumed: bool = False
    evidence: tuple[TextSpan, ...] = ()


def ckd_epi_2021(creatinine_umol: float, age: float, *, female: bool) -> float:
    """eGFR in mL/min/1.73 m² of an adult; creatinine in µmol/L."""
    scr = creatinine_umol / UMOL_PER_MG_DL
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = scr / kappa
    value: float = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age
    return value * 1.012 if female else value


def cockcroft_gault(creatinine_umol: float, age: float, weight: float, *, female: bool) -> float:
    """Creatinine clearance in mL/min of an adult; creatinine in µmol/L, weight in kg."""
    value = (140 - age) * weight / (72 * creatinine_umol / UMOL_PER_MG_DL)
    return value * 0.85 if female else value


def bedside_schwartz(creatinine_umol: float, height: float) -> float:
    """eGFR in mL/min/1.73 m² of a child; creatinine in µmol/L, height in cm."""
    return 0.413 * height / (creatinine_umol / UMOL_PER_MG_DL)


def renal_function(
    creatinine: float,
    evidence: tuple[TextSpan, ...],
    age: float | None,
    sex: str | None,
    body: Callable[[str, str], float | None],
) -> Renal:
    """Renal function by a creatinine in µmol/L that ``evidence`` tells.

    ``age`` in years; ``body`` gives 体重 or 身高 in a unit, None where it is not told.
    """
    if age is None or creatinine <= 0:
        return Renal()
    if age < ADULT:
        height = body("身高", "cm")
        child = bedside_schwartz(creatinine, height) if height else None
        return Renal(creatinine, child, child, True, evidence)
    if sex is None:
        return Renal(creatinine, evidence=evidence)
    female = sex == "female"
    egfr = ckd_epi_2021(creatinine, age, female=female)
    weight = body("体重", "kg")
    if weight is None:
        return Renal(creatinine, egfr, egfr, True, evidence)
    clearance = cockcroft_gault(creatinine, age, weight, female=female)
    return Renal(creatinine, egfr, clearance, False, evidence)
