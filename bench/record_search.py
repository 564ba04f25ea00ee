"""How long cohort queries take over 57,000 structured notes, on SQLite and on PostgreSQL.

The notes are made up and their rows inserted as the loader does it; nothing is recognised::

    python -m bench.record_search --keep runs/search.db      # filled once; a stopped fill goes on
    python -m bench.record_search --keep postgresql://…      # a database of one's own
    python -m bench.record_search --postgresql    # with a server of its own, as the tests start it

Prints one JSON line: p50, p95 and the longest in ms, of count, first page and evidence together,
in all and for each kind of query.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import func, select

from assistant.record_index.access import Caller
from assistant.record_index.amounts import amount
from assistant.record_index.entries import Entries, Fact, Result
from assistant.record_index.index import NoteToIndex, add_notes
from assistant.record_index.search import search
from assistant.record_index.vocabulary import name_of
from assistant.store import Context, Store
from assistant.store.record_rows import RecordNoteRow

SECRET = b"a secret that only the benches use"
BATCH = 500
DISEASES = [
    "肺癌",
    "右肺癌",
    "左肺上叶癌",
    "胃癌",
    "肝癌",
    "高血压",
    "2型糖尿病",
    "冠心病",
    "脑梗死",
    "慢性阻塞性肺疾病",
    "肺炎",
    "社区获得性肺炎",
    "肺栓塞",
    "心力衰竭",
    "心房颤动",
    "肾功能不全",
    "慢性肾脏病",
    "贫血",
    "胸腔积液",
    "双侧胸腔积液",
    "心包积液",
    "腹水",
    "肺结核",
    "非结核分枝杆菌病",
    "乳腺癌",
    "结肠癌",
    "甲状腺结节",
    "胆囊结石",
    "肝硬化",
    "痛风",
]
SYMPTOMS = [
    "发热",
    "咳嗽",
    "咳痰",
    "咯血",
    "胸痛",
    "胸闷",
    "气促",
    "呼吸困难",
    "腹痛",
    "腹泻",
    "恶心",
    "呕吐",
    "头痛",
    "乏力",
]
DRUGS = [
    "奥希替尼",
    "吉非替尼",
    "阿司匹林",
    "氯吡格雷",
    "阿托伐他汀",
    "二甲双胍",
    "氨氯地平",
    "头孢曲松",
]
TESTS = (
    ("肌酐", "umol/L", 90, 40), ("白细胞", "10^9/L", 8, 4), ("血红蛋白", "g/L", 120, 25),
    ("癌胚抗原", "ng/mL", 6, 8), ("钾", "mmol/L", 4.1, 0.6), ("降钙素原", "ng/mL", 1, 2),
    ("C反应蛋白", "mg/L", 30, 40), ("D-二聚体", "mg/L", 1, 1.5), ("白蛋白", "g/L", 38, 6),
)  # fmt: skip
GENES = ("egfr", "alk", "ros1", "kras", "her2", "pd-l1")
PHRASE = "患者神志清楚，精神可，查体合作，双肺呼吸音粗，未闻及明显干湿性啰音，心律齐，腹软无压痛。"
STANDINGS = ("pccpn", "accpn", "pucpn", "pcppn", "pccfn")
WEIGHTS = (60, 25, 6, 7, 2)
KINDS = {
    "cohort": (
        "EGFR:阳性 AND NOT 胸腔积液 AND 日期>={day} AND 肌酐>{creatinine}umol/L AND 诊断:肺癌",
        "药物:{drug} AND {gene}:阳性 AND NOT {other}",
    ),
    "denial": ("{disease} AND NOT {symptom}", "NOT {disease} AND NOT {other} AND {symptom}"),
    "standing": (
        "{symptom}:无 AND 诊断:{disease} AND 日期={year}",
        "诊断:{disease}:可疑 OR {other}:家族",
    ),
    "result": ("{test}>{level}{unit} AND {disease}", "{test}>{level}{unit} AND 日期>={day}"),
    "any_of": (
        "({disease} OR {other}) AND 日期>={day}",
        "{disease} AND ({symptom} OR {test}>{level}{unit}) AND NOT 药物:{drug}",
    ),
    "text": ("文本:胸膜凹陷 AND {disease}", "文本:凹陷", "文本:湿性啰音 AND NOT {disease}"),
}


def made_notes(begin: int, end: int) -> Iterator[NoteToIndex]:
    """Made-up notes, three a patient; names have a long tail, as those of real notes do.  Each is
    the same whatever was made before it."""
    for number in range(begin, end):
        random_ = random.Random(f"note {number}")
        day = (date(2023, 1, 1) + timedelta(days=random_.randrange(1000))).isoformat()
        text = f"记录{number}。" + PHRASE * random_.randint(6, 16)
        if random_.random() < 0.01:
            text += "邻近胸膜凹陷。"
        facts = [
            Fact(name_of(name), "", kind, random_.choices(STANDINGS, WEIGHTS)[0], day, at, at + 2)
            for at, (name, kind) in enumerate(_named(random_))
        ]
        results = []
        for name, unit, mean, spread in random_.sample(TESTS, 5):
            value = f"{abs(random_.gauss(mean, spread)):.1f}"
            measured = amount(value, unit)
            assert measured is not None
            facts.append(Fact(name_of(name), "", "test", "pccpn", day, 40, 42))
            numbers = (measured.number, measured.dimensions)
            results.append(
                Result(name_of(name), "", "pccpn", day, 40, 42, *numbers, "", "", value, unit)
            )
        for gene in random_.sample(GENES, 2):
            outcome = random_.choice(("positive", "negative"))
            results.append(
                Result(gene, "", "pccpn", day, 50, 54, None, "", "", outcome, "阳性", "")
            )
        entries = Entries(facts, results)
        yield NoteToIndex(
            f"pat-{number // 3:06d}", f"n{number}", text, entries, "", "", "病程记录", day, "bench"
        )


def _named(random_: random.Random) -> Iterator[tuple[str, str]]:
    for _ in range(random_.randint(5, 10)):
        yield random_.choice(DISEASES), "disease"
    for _ in range(random_.randint(5, 9)):
        yield random_.choice(SYMPTOMS), "symptom"
    for _ in range(3):
        yield random_.choice(DRUGS), "drug"
    for _ in range(4):
        yield f"少见{random_.randrange(40_000)}征", "sign"


def made_queries(count: int, random_: random.Random) -> list[tuple[str, str]]:
    """Queries with their kinds, each kind as often."""
    found = []
    kinds = list(KINDS)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        template = KINDS[kind][number // len(kinds) % len(KINDS[kind])]
        test, unit, mean, spread = random_.choice(TESTS)
        disease, other = random_.sample(DISEASES, 2)
        values = {
            "day": f"202{random_.randint(3, 5)}-0{random_.randint(1, 9)}-01",
            "year": random_.choice(("2023", "2024", "2025")),
            "creatinine": random_.choice((80, 120, 150)),
            "disease": disease,
            "other": other,
            "symptom": random_.choice(SYMPTOMS),
            "drug": random_.choice(DRUGS),
            "gene": random_.choice(("EGFR", "ALK", "HER2")),
            "test": test,
            "level": round(mean + spread, 1),
            "unit": f"×{unit}" if unit.startswith("10^") else unit,
        }
        found.append((kind, template.format(**values)))
    return found


@contextmanager
def opened(keep: str, postgresql: bool) -> Iterator[Store]:
    """The store of ``keep``, or an empty one that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        if keep or not postgresql:
            store = Store.open(keep or str(Path(folder) / "store.db"), SECRET)
            yield store
            store.close()
            return
        sys.path.append(str(Path(__file__).parent.parent / "tests"))
        from postgresql_server import programs, running

        place = programs()
        if place is None:
            raise SystemExit("no PostgreSQL on this machine")
        with running(place) as server:
            store = Store.open(server.new_database(), SECRET)
            yield store
            store.close()


def fill(store: Store, notes: int) -> float:
    """Put in the notes that are not there yet; the seconds that it took."""
    begin = time.perf_counter()
    with store.database.read() as session:
        there = session.scalar(select(func.count()).select_from(RecordNoteRow)) or 0
    actor = Context.operator("bench")
    for at in range(there, notes, BATCH):
        add_notes(store, list(made_notes(at, min(at + BATCH, notes))), actor)
    if there < notes:
        store.database.analyse()
    return time.perf_counter() - begin


@dataclass(frozen=True, slots=True)
class Timed:
    """A query with its milliseconds, those that this process computed (on a busy machine the
    others are waiting; of PostgreSQL the server's are not in it), and how many rows it found."""

    kind: str
    query: str
    wall_ms: float
    cpu_ms: float
    found: int


def measure(store: Store, queries: list[tuple[str, str]]) -> list[Timed]:
    """Each query with its first page."""
    caller = Caller(Context("doctor", "doctor", ""), ("",))
    timed = []
    for kind, query in queries:
        begin, work = time.perf_counter(), time.process_time()
        found = search(store, caller, query, limit=20).total
        cpu, wall = time.process_time() - work, time.perf_counter() - begin
        timed.append(Timed(kind, query, wall * 1000, cpu * 1000, found))
    return timed


def at(times: Iterable[float], share: float) -> float:
    """The value that ``share`` of the times are at or below (nearest rank)."""
    ordered = sorted(times)
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1)


def main() -> None:
    """Fill a store and ask."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--notes", type=int, default=57_000)
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--keep", default="", help="SQLite file or postgresql:// address")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--slowest", type=int, default=0, help="print so many of the slowest")
    asked = parser.parse_args()
    with opened(asked.keep, asked.postgresql) as store:
        filled = fill(store, asked.notes)
        timed = measure(store, made_queries(asked.queries, random.Random(20)))
        database = "sqlite" if store.database.is_sqlite else "postgresql"
    for one in sorted(timed, key=lambda one: -one.wall_ms)[: asked.slowest]:
        print(f"{one.wall_ms:.0f} ms  {one.query}", file=sys.stderr)
    by_kind = {kind: [one.wall_ms for one in timed if one.kind == kind] for kind in KINDS}
    walls = [one.wall_ms for one in timed]
    line = {
        "bench": "record_search",
        "database": database,
        "notes": asked.notes,
        "queries": len(timed),
        "found": sum(one.found for one in timed),
        "filled_s": round(filled, 1),
        "p50_ms": at(walls, 0.5),
        "p95_ms": at(walls, 0.95),
        "p95_cpu_ms": at((one.cpu_ms for one in timed), 0.95),
        "max_ms": at(walls, 1),
        "kinds_p50_p95_ms": {
            kind: [at(some, 0.5), at(some, 0.95)] for kind, some in by_kind.items() if some
        },
        "load": [round(load, 1) for load in os.getloadavg()],
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
