"""Builds the stays of ``strangers_stays*.yaml`` as encounters."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

ADMITTED = datetime(2026, 3, 2, 9, 0)
Stay = dict[str, Any]


def read(name: str = "strangers_stays") -> dict[str, Any]:
    """The stays and the defects as they are written."""
    found: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name(f"{name}.yaml").read_text("utf-8")
    )
    return found


def changed(stay: Stay, defect: dict[str, Any]) -> Stay:
    """A stay with one defect in it."""
    made = copy.deepcopy(stay)
    for rows in ("medication", "observation"):
        if rows in defect:
            made.setdefault(f"{rows}s", []).append(defect[rows])
            return made
    place, old, new = defect["in"], defect["old"], defect["new"]
    if place.startswith("round"):
        number = int(place.removeprefix("round"))
        assert old in made["rounds"][number], defect
        made["rounds"][number] = made["rounds"][number].replace(old, new)
    else:
        assert old in made[place], defect
        made[place] = made[place].replace(old, new)
    return made


def encounter(key: str, stay: Stay) -> Stay:
    """The encounter of a stay, its notes at their due times and signed."""
    about = dict(stay["about"])
    department = about.pop("department")
    left = ADMITTED + timedelta(days=stay["days"])
    notes = [
        _note("admission", "入院记录", 2, stay["admission"]),
        _note("first_progress", "首次病程记录", 3, stay["first"]),
    ]
    for number, text in enumerate(stay["rounds"]):
        title = "主治医师查房记录" if number == 0 else "日常病程记录"
        notes.append(_note("progress", title, 24 + 48 * number, text))
    if "operation" in stay:
        notes.append(_note("operation", "手术记录", 32, stay["operation"]))
    notes.append(_note("discharge_day", "出院当日病程记录", 24 * stay["days"], stay["discharge"]))
    for number, note in enumerate(notes):
        note["id"] = f"n{number}"
    operated = stay.get("operated")
    return {
        "id": f"enc-{key}",
        "patient": {"id": f"pat-{key}"} | about,
        "department": department,
        "admitted_at": ADMITTED.isoformat(),
        "discharged_at": (left + timedelta(hours=2)).isoformat(),
        "diagnoses": [
            {"kind": kind, "name": stay["diagnosis"], "primary": True}
            for kind in ("admission", "discharge")
        ],
        "notes": notes,
        "observations": [
            _observation(number, line) for number, line in enumerate(stay.get("observations", []))
        ],
        "medications": [
            _drug(f"m{number}", line, home=False)
            for number, line in enumerate(stay.get("medications", []))
        ]
        + [_drug(f"h{n}", line, home=True) for n, line in enumerate(stay.get("home", []))],
        "operations": [{"id": "op1", "at": (ADMITTED + timedelta(hours=29)).isoformat()} | operated]
        if operated
        else [],
    }


def _note(kind: str, title: str, hours: float, text: str) -> Stay:
    written = (ADMITTED + timedelta(hours=hours)).isoformat()
    return {"kind": kind, "title": title, "written_at": written, "author": "边远", "text": text}


def _observation(number: int, line: str) -> Stay:
    day, name, value, unit, reference = line.split()
    low, high = (float(end) for end in reference.split("-"))
    flag = "low" if float(value) < low else "high" if float(value) > high else "normal"
    at = ADMITTED + timedelta(days=int(day) - 1, hours=1 if day == "1" else 0)
    return {
        "id": f"o{number}", "name": name, "value": value, "unit": unit, "reference": reference,
        "flag": flag, "at": at.isoformat(),
    }  # fmt: skip


def _drug(key: str, line: str, *, home: bool) -> Stay:
    name, dose, route, frequency = line.split()
    return {
        "id": key, "name": name, "dose": dose, "route": route, "frequency": frequency,
        "start": ADMITTED.date().isoformat(), "discharge": home,
    }  # fmt: skip
