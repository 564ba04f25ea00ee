"""Questions of every kind with their known answers, over every stay."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime

from eval.clinical.record_qa.traps import TRAPS
from eval.clinical.record_qa.trial import Asker, Maker, Trial, others, shown, values_of
from eval.clinical.record_qa.truth import Known, day_words, egfr, moment, number

__all__ = ["MAKERS", "Trial", "trials"]


def _extreme(kind: str, pick: Callable[[set[float]], float]) -> Maker:
    def make(asker: Asker) -> Iterator[Trial]:
        found = asker.some(asker.several)
        if found:
            name, rows = found
            best = [r for r in rows if number(r) == pick(values_of(rows))]
            days = tuple(day_words(moment(r)) for r in best)
            yield asker.ask(
                kind, {"test": name}, must=((shown(best[0]),), days),
                head=(shown(best[0]),), never=others(rows, best),
            )  # fmt: skip

    return make


def _at(kind: str, index: int) -> Maker:
    def make(asker: Asker) -> Iterator[Trial]:
        found = asker.some(asker.several)
        if found:
            name, rows = found
            row = rows[index]
            yield asker.ask(
                kind, {"test": name}, must=((shown(row),),), head=(shown(row),),
                never=others(rows, [row]),
            )  # fmt: skip

    return make


def _trend(asker: Asker) -> Iterator[Trial]:
    found = asker.some(asker.several)
    if found:
        name, rows = found
        must = tuple((shown(r),) for r in rows) + tuple((day_words(moment(r)),) for r in rows)
        yield asker.ask("trend", {"test": name}, must=must)


def _change(asker: Asker) -> Iterator[Trial]:
    found = asker.some(asker.several)
    if found:
        name, rows = found
        first, last = number(rows[0]) or 0.0, number(rows[-1]) or 0.0
        if first != last:
            said = f"{abs(last - first):.6g}"
            turned = ("下降",) if last > first else ("升高",)
            must = ((shown(rows[0]),), (shown(rows[-1]),), (said,))
            yield asker.ask("change", {"test": name}, must=must, never=turned)


def _on_day(asker: Asker) -> Iterator[Trial]:
    found = asker.some(asker.several)
    if found:
        name, rows = found
        row = asker.dice.choice(rows)
        day = moment(row).date()
        own = [r for r in rows if moment(r).date() == day]
        yield asker.ask(
            "on_day", {"test": name, "day": day_words(day)},
            must=tuple((shown(r),) for r in own), head=tuple(shown(r) for r in own),
            never=others(rows, own),
        )  # fmt: skip


def _bare(name: str) -> str:
    """A product's name as a doctor says it: without 注射用 and the form."""
    bare = name.removeprefix("注射用").removeprefix("吸入用").split("（")[0]
    for form in ("缓释片", "肠溶片", "分散片", "片", "胶囊", "注射液", "混悬液", "颗粒"):
        bare = bare.removesuffix(form)
    return bare


def _drugs(asker: Asker) -> Iterator[Trial]:
    stay = [m for m in asker.known.data["medications"] if not m["discharge"] and m["stop"]]
    names = [_bare(m["name"]) for m in asker.known.data["medications"]]
    once = [
        m for m in stay if sum(_bare(m["name"]) in n or n in _bare(m["name"]) for n in names) == 1
    ]
    if not once:
        return
    row = asker.dice.choice(once)
    begin, end = date.fromisoformat(row["start"]), date.fromisoformat(row["stop"])
    days = (end - begin).days + 1
    drug = _bare(row["name"])
    told = ((day_words(begin),), (day_words(end),), (f"{days} 天", f"{days}天"))
    yield asker.ask("drug_days", {"drug": drug}, must=told)
    row = asker.dice.choice(once)
    dose = ((row["dose"],), (row["frequency"],))
    yield asker.ask("drug_dose", {"drug": _bare(row["name"])}, must=dose)


def _discharge_drugs(asker: Asker) -> Iterator[Trial]:
    home = [m for m in asker.known.data["medications"] if m["discharge"]]
    taken = {m["name"] for m in home}
    stay = {
        m["name"] for m in asker.known.data["medications"] if not any(m["name"] in t for t in taken)
    }
    if home:
        must = tuple((m["name"],) for m in home)
        yield asker.ask("discharge_drugs", must=must, never=tuple(sorted(stay)))


def _allergy(asker: Asker) -> Iterator[Trial]:
    if asker.known.allergy:
        yield asker.ask("allergy", must=(asker.known.allergy,))


def _denied(asker: Asker) -> Iterator[Trial]:
    if asker.known.denied:
        term = asker.dice.choice(asker.known.denied)
        yield asker.ask(
            "denied", {"term": term}, must=(("否认", "未见"), (f"无{term}", term)),
            never=(f"“{term}”：有", "有——"),
        )  # fmt: skip


def _family(asker: Asker) -> Iterator[Trial]:
    if asker.known.family:
        term = asker.known.family[0]
        yield asker.ask(
            "family", {"term": term}, must=(("家属", "父亲", "母亲", "哥哥", "姐姐"),),
            never=(f"“{term}”：有", "；有——", "既往有——"),
        )  # fmt: skip


def _dates(asker: Asker) -> Iterator[Trial]:
    data = asker.known.data
    begin, end = (datetime.fromisoformat(data[k]) for k in ("admitted_at", "discharged_at"))
    yield asker.ask("dates", must=((day_words(begin),), (day_words(end),)))


def _operation(asker: Asker) -> Iterator[Trial]:
    rows = asker.known.data["operations"]
    if rows:
        at = datetime.fromisoformat(rows[0]["at"])
        yield asker.ask("operation", must=((rows[0]["name"],), (day_words(at),)))


def _diagnosis(asker: Asker) -> Iterator[Trial]:
    rows = [d for d in asker.known.data["diagnoses"] if d["kind"] == "discharge"]
    left = {d["name"] for d in rows}
    only = {d["name"] for d in asker.known.data["diagnoses"]} - left
    never = tuple(sorted(n for n in only if not any(n in one for one in left)))
    if rows:
        yield asker.ask("diagnosis", must=tuple((d["name"],) for d in rows), never=never)


def _pending(asker: Asker) -> Iterator[Trial]:
    rows = [o for o in asker.known.data["observations"] if o["status"] == "pending"]
    if rows:
        yield asker.ask("pending", must=tuple((o["name"],) for o in rows))


def _signer(asker: Asker) -> Iterator[Trial]:
    notes = [n for n in asker.known.data["notes"] if n["kind"] == "admission"]
    if notes:
        yield asker.ask("signer", must=((notes[0]["author"],),))


def _egfr(asker: Asker) -> Iterator[Trial]:
    rows = asker.plain.get("肌酐", [])
    patient, encounter = asker.encounter.patient, asker.encounter
    if not rows or patient.sex is None or encounter.admitted_at is None:
        return
    years = patient.age_at(encounter.admitted_at.date())
    if years is None or years < 18:
        return
    value = egfr(number(rows[-1]) or 0, int(years), patient.sex)
    # Sources differ in the last digit of the molar mass of creatinine.
    near = tuple(f"{round(value) + n} mL/min" for n in (-1, 0, 1))
    yield asker.ask("egfr", must=(near, ("CKD-EPI",), (shown(rows[-1]),)))


MAKERS: dict[str, Maker] = {
    "highest": _extreme("highest", max),
    "lowest": _extreme("lowest", min),
    "first": _at("first", 0),
    "latest": _at("latest", -1),
    "previous": _at("previous", -2),
    "trend": _trend,
    "change": _change,
    "on_day": _on_day,
    "drugs": _drugs,
    "discharge_drugs": _discharge_drugs,
    "allergy": _allergy,
    "denied": _denied,
    "family": _family,
    "dates": _dates,
    "operation": _operation,
    "diagnosis": _diagnosis,
    "pending": _pending,
    "signer": _signer,
    "egfr": _egfr,
    **TRAPS,
}


def trials(stays: Sequence[Known], seed: int) -> Iterator[Trial]:
    """Every kind over every stay that has what it asks for; the same seed asks the same."""
    for known in stays:
        dice = random.Random(f"{seed}/{known.data['id']}")  # noqa: S311
        asker = Asker(known, dice)
        for make in MAKERS.values():
            yield from make(asker)
