"""How long cohort queries take over 57,000 structured notes, on SQLite and on PostgreSQL.

The notes are made up and their rows inserted as the loader does it; nothing is recognised::

    python -m bench.record_search --notes 57000 --queries 50
    python -m bench.record_search --postgresql    # with a server of its own, as the tests start it

Prints one JSON line: p50, p95 and the longest in ms, of count, first page and evidence together.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from assistant.record_index.access import Caller
from assistant.record_index.amounts import amount
from assistant.record_index.entries import Entries, Fact, Result
from assistant.record_index.index import NoteToIndex, add_notes
from assistant.record_index.search import search
from assistant.record_index.vocabulary import name_of
from assistant.store import Context, Store

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
TEMPLATES = (
    "EGFR:阳性 AND NOT 胸腔积液 AND 日期>={day} AND 肌酐>{creatinine}umol/L AND 诊断:肺癌",
    "{disease} AND NOT {symptom}",
    "({disease} OR {other}) AND 日期>={day}",
    "{test}>{level}{unit} AND {disease}",
    "药物:{drug} AND {gene}:阳性 AND NOT {other}",
    "{symptom}:无 AND 诊断:{disease} AND 日期={year}",
    "NOT {disease} AND NOT {other} AND {symptom}",
    "诊断:{disease}:可疑 OR {other}:家族",
    "{disease} AND ({symptom} OR {test}>{level}{unit}) AND NOT 药物:{drug}",
    "文本:胸膜凹陷 AND {disease}",
)


def made_notes(count: int, random_: random.Random) -> Iterator[NoteToIndex]:
    """Made-up notes, three a patient; names have a long tail, as those of real notes do."""
    for number in range(count):
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


def made_queries(count: int, random_: random.Random) -> list[str]:
    """Queries of ten kinds."""
    found = []
    for number in range(count):
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
        found.append(TEMPLATES[number % len(TEMPLATES)].format(**values))
    return found


@contextmanager
def opened(postgresql: bool) -> Iterator[Store]:
    """An empty store."""
    with tempfile.TemporaryDirectory() as folder:
        if not postgresql:
            store = Store.open(Path(folder) / "store.db", SECRET)
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


def measure(store: Store, queries: list[str]) -> tuple[list[tuple[float, str]], list[float], int]:
    """Milliseconds of each query with its first page, those that this process computed (on a busy
    machine the others are waiting), and how many rows they found in all."""
    caller = Caller(Context("doctor", "doctor", ""), ("",))
    times: list[tuple[float, str]] = []
    cpu: list[float] = []
    total = 0
    for query in queries:
        begin, work = time.perf_counter(), time.process_time()
        total += search(store, caller, query, limit=20).total
        cpu.append((time.process_time() - work) * 1000)
        times.append(((time.perf_counter() - begin) * 1000, query))
    return times, sorted(cpu), total


def main() -> None:
    """Fill a store and ask."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--notes", type=int, default=57_000)
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--slowest", type=int, default=0, help="print so many of the slowest")
    asked = parser.parse_args()
    random_ = random.Random(20)
    with opened(asked.postgresql) as store:
        begin = time.perf_counter()
        actor, batch = Context.operator("bench"), []
        for note in made_notes(asked.notes, random_):
            batch.append(note)
            if len(batch) == BATCH:
                add_notes(store, batch, actor)
                batch = []
        if batch:
            add_notes(store, batch, actor)
        store.database.analyse()
        filled = time.perf_counter() - begin
        timed, cpu, total = measure(store, made_queries(asked.queries, random_))
    times = sorted(ms for ms, _ in timed)
    for ms, query in sorted(timed, reverse=True)[: asked.slowest]:
        print(f"{ms:.0f} ms  {query}", file=sys.stderr)
    line = {
        "bench": "record_search",
        "database": "postgresql" if asked.postgresql else "sqlite",
        "notes": asked.notes,
        "queries": len(times),
        "found": total,
        "inserted_s": round(filled, 1),
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(times[min(len(times) - 1, int(len(times) * 0.95))], 1),
        "p95_cpu_ms": round(cpu[min(len(cpu) - 1, int(len(cpu) * 0.95))], 1),
        "max_ms": round(times[-1], 1),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
