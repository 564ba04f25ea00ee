"""How well grounding tells true statements from false ones.

Every sentence of a record is a true statement about it; the same sentence with one number changed,
a side swapped or a negation turned is a false one; a sentence of another record is false as a rule
(stock phrases are not, so that figure is an upper bound of the misses).  Prints one JSON line.

    python -m bench.grounding
    python -m bench.grounding --notes ../shared/data/ner/yidu_s4k_train.jsonl.gz --limit 200
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from assistant.chains.drugs import DrugNames
from assistant.chains.grounding import Grounder
from assistant.chains.segments import segment_notes
from assistant.record import Encounter, Note
from assistant.settings import Settings
from bench.machine import describe
from knowledge.base import KnowledgeBase, KnowledgeMissing

SAMPLES = Path(__file__).parent.parent / "assistant" / "samples" / "encounters"
NEGATIONS = (("未见", "可见"), ("无", "有"), ("否认", "有"))
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass
class Record:
    notes: list[Note]
    admitted_on: date | None = None
    drugs: tuple[str, ...] = ()


def own_records() -> Iterator[Record]:
    for path in sorted(SAMPLES.glob("*.json")):
        encounter = Encounter.model_validate_json(path.read_bytes())
        assert encounter.admitted_at is not None
        drugs = tuple(m.name for m in encounter.medications)
        yield Record(encounter.all_notes(), encounter.admitted_at.date(), drugs)


def lines_of(path: Path) -> Iterator[str]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from lines
    else:
        with path.open(encoding="utf-8") as lines:
            yield from lines


def records_of(path: Path, limit: int) -> Iterator[Record]:
    for line in islice(lines_of(path), limit):
        yield Record([Note(id="text", text=json.loads(line)["text"])])


def false_versions(text: str, dice: random.Random) -> Iterator[tuple[str, str]]:
    if numbers := list(NUMBER.finditer(text)):
        hit = dice.choice(numbers)
        changed = f"{float(hit[0]) + dice.choice((1, 2, 5, 10)):g}"
        yield "number", text[: hit.start()] + changed + text[hit.end() :]
    for old, new in NEGATIONS:
        if old in text:
            yield "negation", text.replace(old, new, 1)
            break
    for old, new in (("左", "右"), ("右", "左")):
        if old in text:
            yield "laterality", text.replace(old, new, 1)
            break


def open_base() -> KnowledgeBase:
    """The built base, else the small one that the tests use."""
    try:
        return KnowledgeBase.open(Settings().knowledge_folder)
    except KnowledgeMissing:
        import sys

        sys.path.append(str(Path(__file__).parent.parent / "tests"))
        from knowledge_sample import build_sample

        return build_sample(Path(tempfile.mkdtemp()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--notes", type=Path, help="JSON lines with a field text")
    parser.add_argument("--limit", type=int, default=200, help="records to read")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    base = open_base()
    records = list(records_of(options.notes, options.limit) if options.notes else own_records())
    counts: Counter[tuple[str, bool]] = Counter()
    for number, record in enumerate(records):
        segments = segment_notes(record.notes, record.admitted_on)
        grounder = Grounder(
            segments, findings_of=base.extractor.extract, drugs_of=DrugNames(record.drugs)
        )

        def supported(text: str, by: Grounder = grounder) -> bool:
            return by.ground("s", text).status == "supported"

        for segment in segments:
            counts["verbatim", supported(segment.text)] += 1
            for kind, text in false_versions(segment.text, dice):
                counts[kind, supported(text)] += 1
        other = records[number - 1]
        for segment in segment_notes(other.notes)[:20]:
            counts["another record", supported(segment.text)] += 1
    figures: dict[str, Any] = {"bench": "grounding", "records": len(records), "seed": options.seed}
    for kind in ("number", "negation", "laterality", "another record"):
        found, missed = counts[kind, False], counts[kind, True]
        if found + missed:
            figures[f"{kind}: found"] = f"{found}/{found + missed}"
    alarms, fine = counts["verbatim", False], counts["verbatim", True]
    figures["verbatim: false alarms"] = f"{alarms}/{alarms + fine}"
    print(json.dumps(figures | describe(), ensure_ascii=False))


if __name__ == "__main__":
    main()
