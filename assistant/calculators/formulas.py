"""The formulas.  Each takes its inputs in the units of the list and says where it comes from."""

from __future__ import annotations

import math
from datetime import date, timedelta

TERM_DAYS = 280


def ckd_epi_2021(creatinine: float, age: float, sex: str) -> float:
    """Estimated GFR, mL/min/1.73m²; creatinine in mg/dL, age in years.

    CKD-EPI 2021 without race: Inker et al., N Engl J Med 2021;385:1737.
    """
    female = sex == "female"
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    share = creatinine / kappa
    rate: float = 142 * min(share, 1) ** alpha * max(share, 1) ** -1.200 * 0.9938**age
    return rate * (1.012 if female else 1)


def schwartz(creatinine: float, height: float) -> float:
    """Estimated GFR of a child, mL/min/1.73m²; creatinine in mg/dL, height in cm.

    Bedside formula: Schwartz et al., J Am Soc Nephrol 2009;20:629.
    """
    return 0.413 * height / creatinine


def cockcroft_gault(creatinine: float, age: float, weight: float, sex: str) -> float:
    """Creatinine clearance, mL/min; creatinine in mg/dL, weight in kg.

    Cockcroft and Gault, Nephron 1976;16:31.
    """
    return (140 - age) * weight / (72 * creatinine) * (0.85 if sex == "female" else 1)


def anion_gap(sodium: float, chloride: float, bicarbonate: float) -> float:
    """Anion gap without potassium, mmol/L.  Emmett and Narins, Medicine 1977;56:38."""
    return sodium - chloride - bicarbonate


def corrected_calcium(calcium: float, albumin: float) -> float:
    """Calcium for an albumin of 40 g/L, mmol/L.  Payne et al., Br Med J 1973;4:643."""
    return calcium + 0.02 * (40 - albumin)


def corrected_sodium(sodium: float, glucose: float) -> float:
    """Sodium for a glucose of 100 mg/dL, mmol/L; glucose in mg/dL.

    1.6 mmol/L for each 100 mg/dL: Katz, N Engl J Med 1973;289:843.
    """
    return sodium + 1.6 * (glucose - 100) / 100


def body_mass_index(weight: float, height: float) -> float:
    """kg/m²; weight in kg, height in cm.  Quetelet; Keys et al., J Chronic Dis 1972;25:329."""
    return weight / (height / 100) ** 2


def body_surface(weight: float, height: float) -> float:
    """m²; weight in kg, height in cm.  Mosteller, N Engl J Med 1987;317:1098."""
    return math.sqrt(weight * height / 3600)


def due_date(last_period: date) -> date:
    """The expected date of delivery: 280 days after the first day of the last period (Naegele)."""
    return last_period + timedelta(days=TERM_DAYS)


def gestational_days(last_period: date, today: date) -> float:
    """Completed days of the pregnancy on ``today``, counted from the last period.

    Raises ValueError for a day before it or more than 44 weeks behind it.
    """
    days = (today - last_period).days
    if not 0 <= days <= 44 * 7:
        raise ValueError("not a day of the pregnancy")
    return days


def meld_na(creatinine: float, bilirubin: float, inr: float, sodium: float) -> float:
    """MELD-Na; creatinine and bilirubin in mg/dL, sodium in mmol/L.

    As the OPTN computes it since 2016, after Kim et al., N Engl J Med 2008;359:1018: values below 1
    count as 1, creatinine above 4 as 4, sodium as 125 to 137.
    """
    made = min(max(creatinine, 1.0), 4.0)
    score = (
        0.957 * math.log(made)
        + 0.378 * math.log(max(bilirubin, 1.0))
        + 1.120 * math.log(max(inr, 1.0))
        + 0.643
    )
    meld = round(score * 10, 0)
    if meld > 11:
        salt = min(max(sodium, 125.0), 137.0)
        meld = meld + 1.32 * (137 - salt) - 0.033 * meld * (137 - salt)
    return min(max(round(meld), 6), 40)


def paediatric_dose(weight: float, per_kilogram: float, most: float | None = None) -> float:
    """mg of one dose: weight in kg, mg/kg, never above ``most`` mg (the adult dose)."""
    dose = weight * per_kilogram
    return min(dose, most) if most is not None else dose
