"""Six stays with what a discharge record of each must tell, written before anything ran on them."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

from assistant.record.encounter import Encounter
from eval.clinical.discharge.known import Fact, KnownEncounter, words

Row = dict[str, Any]


def fresh_stays() -> list[KnownEncounter]:
    """The stays as encounters with their facts."""
    path = files("eval.clinical") / "data" / "fresh" / "stays.yaml"
    return [_known(stay) for stay in yaml.safe_load(path.read_text("utf-8"))]


def _known(stay: Row) -> KnownEncounter:
    return KnownEncounter(
        encounter=Encounter.model_validate(_encounter(stay)),
        speciality=stay["department"],
        facts=tuple(
            Fact(section=section, kind=kind, words=words(str(text)))
            for section, rows in stay["facts"].items()
            for row in rows
            for kind, text in row.items()
        ),
    )


def _encounter(stay: Row) -> Row:
    return {
        "id": f"enc-{stay['id']}",
        "patient": {"id": f"pat-{stay['id']}", **stay["patient"]},
        **{key: stay[key] for key in ("department", "bed", "admitted_at", "discharged_at")},
        "diagnoses": [
            {"kind": kind, "name": name, "primary": number == 0}
            for kind, names in stay["diagnoses"].items()
            for number, name in enumerate(names)
        ],
        "notes": [
            {"id": f"n{number}", "kind": kind, "title": title, "written_at": at}
            | {"author": author, "text": text}
            for number, (kind, title, at, author, text) in enumerate(stay["notes"], 1)
        ],
        "observations": [_observation(f"o{n}", r) for n, r in enumerate(stay["observations"], 1)],
        "orders": [_order(f"r{n}", r) for n, r in enumerate(stay["orders"], 1)],
        "medications": [
            *(_drug(f"m{n}", r, home="") for n, r in enumerate(stay["medications"], 1)),
            *(_drug(f"h{n}", r, home=stay["discharged_at"]) for n, r in enumerate(stay["home"], 1)),
        ],
        "operations": [
            {"id": f"p{n}", "name": name, "at": at, "laterality": side or None}
            for n, (name, at, side) in enumerate(stay.get("operations", []), 1)
        ],
    }


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


def _observation(key: str, line: str) -> Row:
    at, name, value, unit, reference, flag = _cells(line)
    pending = flag == "pending"
    return {
        "id": key, "name": name, "value": value, "unit": unit, "reference": reference, "at": at,
        "flag": None if pending else flag or None, "status": "pending" if pending else "final",
    }  # fmt: skip


def _order(key: str, line: str) -> Row:
    at, kind, text, status = _cells(line)
    return {"id": key, "kind": kind, "text": text, "ordered_at": at, "status": status}


def _drug(key: str, line: str, *, home: str) -> Row:
    name, dose, route, frequency, *days = _cells(line)
    first, last = days or (home[:10], None)
    return {
        "id": key, "name": name, "dose": dose, "route": route, "frequency": frequency,
        "start": first, "stop": last, "discharge": bool(home),
    }  # fmt: skip
