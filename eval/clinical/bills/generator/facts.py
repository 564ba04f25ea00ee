"""What an invented bill says, consistent in itself: people, items, sums, funds, results.

Values are written as `assistant.tasks.bill_ocr.document` has them (amounts with two decimals, days
as YYYY-MM-DD); how they are printed is the layout's affair.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml

from assistant.tasks.bill_ocr.document import DocumentKind

CENT = Decimal("0.01")
_DATA = files("eval.clinical.bills.generator") / "data"


@dataclass(frozen=True, slots=True)
class Facts:
    """One bill.  ``groups`` are (class of cost, its sum), in the order of the items."""

    kind: DocumentKind
    values: dict[str, str]
    items: list[dict[str, str]] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)


@cache
def _words() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((_DATA / "words.yaml").read_text(encoding="utf-8"))
    return found


@cache
def _table(name: str) -> list[dict[str, str]]:
    text = (_DATA / name).read_text(encoding="utf-8").removeprefix("# ")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


def money(value: Decimal) -> str:
    """With two decimals, halves rounded up as cashiers do."""
    return str(value.quantize(CENT, ROUND_HALF_UP))


def make_facts(kind: DocumentKind, rows: tuple[int, int], random: Random) -> Facts:
    """A bill of ``kind`` with ``rows[0]`` to ``rows[1]`` items."""
    values = _who(random)
    if kind is DocumentKind.LABORATORY_SHEET:
        return Facts(kind, *_laboratory(values, rows, random))
    if kind is DocumentKind.DISCHARGE_RECORD:
        return Facts(kind, _discharge(values, random))
    inpatient = kind not in (DocumentKind.OUTPATIENT_INVOICE, DocumentKind.PRESCRIPTION)
    drugs_only = kind is DocumentKind.PRESCRIPTION
    items = _items(random.randint(*rows), random, drugs_only=drugs_only, inpatient=inpatient)
    sums: dict[str, Decimal] = {}
    for item in items:
        sums[item["group"]] = sums.get(item["group"], Decimal(0)) + Decimal(item["amount"])
    total = sum(sums.values(), Decimal(0))
    values |= _money(total, inpatient, random)
    if drugs_only:
        values |= {"doctor": _name(random), "diagnosis": random.choice(_words()["diagnoses"])}
        values["prescription_number"] = _digits(10, random)
    return Facts(kind, values, items, [(name, money(value)) for name, value in sums.items()])


def _name(random: Random) -> str:
    words = _words()
    given = random.choices(words["given"], k=random.choice((1, 2, 2)))
    return "".join((random.choice(words["surnames"]), *given))


def _digits(count: int, random: Random) -> str:
    return str(random.randint(1, 9)) + "".join(random.choices("0123456789", k=count - 1))


def _who(random: Random) -> dict[str, str]:
    words = _words()
    admitted = date(2023, 1, 1) + timedelta(days=random.randrange(1200))
    discharged = admitted + timedelta(days=random.randint(2, 21))
    issued = discharged + timedelta(days=random.randint(0, 2))
    return {
        "hospital": random.choice(words["hospitals"]).format(random.choice(words["places"])),
        "patient": _name(random),
        "sex": random.choice("男女"),
        "age": f"{random.randint(3, 92)}岁",
        "department": random.choice(words["departments"]),
        "bed": str(random.randint(1, 60)),
        "inpatient_number": _digits(8, random),
        "outpatient_number": _digits(10, random),
        "insurance_type": random.choice(words["insurance"]),
        "insurance_number": _digits(12, random),
        "invoice_code": _digits(8, random),
        "invoice_number": _digits(10, random),
        "check_code": "".join(random.choices("0123456789abcdef", k=6)),
        "date": issued.isoformat(),
        "admitted_on": admitted.isoformat(),
        "discharged_on": discharged.isoformat(),
        "days": str((discharged - admitted).days),
        "cashier": _name(random),
    }


def _items(
    count: int, random: Random, *, drugs_only: bool, inpatient: bool
) -> list[dict[str, str]]:
    table = _table("items.tsv")
    drugs = [row for row in table if row["group"] in ("西药费", "中成药费")]
    chosen = random.sample(drugs if drugs_only else table, min(count, 120))
    chosen.sort(key=lambda row: row["group"])
    items = []
    for row in chosen:
        most = 14 if inpatient and Decimal(row["unit_price"]) < 100 else 4
        quantity = Decimal(random.randint(1, most))
        items.append(
            {
                "code": row["code"],
                "name": row["name"],
                "specification": row["specification"],
                "unit": row["unit"],
                "quantity": str(quantity),
                "unit_price": row["unit_price"],
                "amount": money(quantity * Decimal(row["unit_price"])),
                "class": row["class"],
                "self_paid_share": row["self_paid_share"],
                "group": row["group"],
                "usage": random.choice(_words()["usages"]),
            }
        )
    return items


def _money(total: Decimal, inpatient: bool, random: Random) -> dict[str, str]:
    own = (total * random.randint(0, 20) / 100).quantize(CENT)
    self_paid = ((total - own) * random.randint(5, 35) / 100).quantize(CENT)
    fund = total - own - self_paid
    patient_pays = own + self_paid
    account = min(patient_pays, (patient_pays * random.randint(0, 100) / 100).quantize(CENT))
    cash = patient_pays - account
    values = {
        "total": total,
        "fund_paid": fund,
        "self_paid": self_paid,
        "own_expense": own,
        "account_paid": account,
        "cash_paid": cash,
    }
    if inpatient:
        deposit = Decimal(random.randint(1, 60) * 500)
        values["deposit"] = deposit
        values["refund"] = max(Decimal(0), deposit - cash)
        values["top_up"] = max(Decimal(0), cash - deposit)
    written = {name: money(value) for name, value in values.items()}
    return written | {"total_in_words": written["total"]}


def _laboratory(
    values: dict[str, str], rows: tuple[int, int], random: Random
) -> tuple[dict[str, str], list[dict[str, str]]]:
    table = _table("tests.tsv")
    panel = random.choice(sorted({row["panel"] for row in table}))
    tests = [row for row in table if row["panel"] == panel][: random.randint(*rows)]
    day = values["date"]
    values |= {
        "test_name": panel,
        "specimen": tests[0]["specimen"],
        "sample_number": _digits(10, random),
        "sampled_at": f"{day} 0{random.randint(6, 9)}:{random.randint(10, 59)}",
        "received_at": f"{day} 1{random.randint(0, 2)}:{random.randint(10, 59)}",
        "reported_at": f"{day} 1{random.randint(3, 7)}:{random.randint(10, 59)}",
        "doctor": _name(random),
        "examiner": _name(random),
        "reviewer": _name(random),
    }
    return values, [_result(row, random) for row in tests]


def _result(row: dict[str, str], random: Random) -> dict[str, str]:
    low, high, places = Decimal(row["low"]), Decimal(row["high"]), int(row["decimals"])
    step = Decimal(1).scaleb(-places)
    where = random.choices(("in", "high", "low"), (7, 2, 1))[0]
    if where == "high":
        value = high * Decimal(random.randint(105, 220)) / 100 + step
    elif where == "low" and low > 2 * step:
        value = low * Decimal(random.randint(50, 95)) / 100 - step
    else:
        value = low + (high - low) * Decimal(random.randint(5, 95)) / 100
    value = max(Decimal(0), value).quantize(step, ROUND_HALF_UP)
    return {
        "code": row["code"],
        "name": row["name"],
        "value": str(value),
        "unit": row["unit"],
        "range": f"{row['low']}-{row['high']}",
        "flag": "↑" if value > high else "↓" if value < low else "",
    }


def _discharge(values: dict[str, str], random: Random) -> dict[str, str]:
    words = _words()
    values |= {
        "admission_diagnosis": random.choice(words["diagnoses"]),
        "discharge_diagnosis": random.choice(words["diagnoses"]),
        "doctor": _name(random),
        "course": random.choice(words["courses"]),
        "orders": random.choice(words["orders"]),
    }
    return values
