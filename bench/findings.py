"""Findings by the lexicon alone, and with the span model beside it: what either is good for.

On annotated texts, how many of the diseases, symptoms and signs that people marked are found, by
exact span and by any character in common; on the checker's trials, how many seeded errors are found
and how many true statements refused when statements are held against either.

    python -m bench.findings --set ../shared/data/ner/cehrner_test.bio.txt.gz
    python -m bench.findings --set NOTES.jsonl --notes NOTES.jsonl --limit 50
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.settings import Settings
from assistant.tasks.structuring.attributes import FINDINGS
from assistant.tasks.structuring.findings import EntityFindings
from assistant.tasks.structuring.opening import open_recognizer
from assistant.tasks.structuring.recognizer import LABELS
from assistant.training.dataset import Example, read
from bench.base import open_base
from bench.machine import describe
from eval.clinical.checker.measure import judge
from eval.clinical.checker.record import Record, note_records, sample_records
from eval.clinical.checker.trials import make_trials
from knowledge.base import KnowledgeBase
from knowledge.text.extraction import FindingReader

_SEED = 1
Places = set[tuple[int, int]]


def extraction(examples: Sequence[Example], reader: FindingReader) -> dict[str, float]:
    """Precision, recall and F1 of places, exact and by any character in common."""
    gold = found = right = met = touching = 0
    begun = time.perf_counter()
    for example in examples:
        marked: Places = {
            (label.start, label.end)
            for label in example.labels
            if LABELS.get(label.type.rpartition("/")[2]) in FINDINGS
        }
        own: Places = {(f.span.start, f.span.end) for f in reader.extract(example.text, "n")}
        gold, found, right = gold + len(marked), found + len(own), right + len(marked & own)
        met += sum(_touches(place, own) for place in marked)
        touching += sum(_touches(place, marked) for place in own)
    seconds = time.perf_counter() - begun
    return {
        "marked": gold,
        "found": found,
        "precision": round(right / max(1, found), 4),
        "recall": round(right / max(1, gold), 4),
        "f1": round(2 * right / max(1, gold + found), 4),
        "touched_recall": round(met / max(1, gold), 4),
        "touched_precision": round(touching / max(1, found), 4),
        "characters_per_second": round(sum(len(e.text) for e in examples) / seconds),
    }


def checking(
    records: Sequence[Record], base: KnowledgeBase, reader: FindingReader
) -> dict[str, float]:
    """Seeded errors that are found, and true statements that are refused, in percent."""
    trials = make_trials(records, _SEED)
    begun = time.perf_counter()
    verdicts = judge(records, trials, base, reader=reader)
    seconds = time.perf_counter() - begun
    wrong = [v for v in verdicts if not v.trial.true]
    true = [v for v in verdicts if v.trial.true]
    return {
        "errors": len(wrong),
        "errors_found": round(100 * sum(not v.supported for v in wrong) / max(1, len(wrong)), 2),
        "truths": len(true),
        "truths_refused": round(100 * sum(not v.supported for v in true) / max(1, len(true)), 2),
        "seconds": round(seconds, 1),
    }


def _touches(place: tuple[int, int], others: Places) -> bool:
    start, end = place
    return any(start < other_end and other < end for other, other_end in others)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--set", type=Path, action="append", default=[], help="annotated text: JSON lines or BIO"
    )
    parser.add_argument("--notes", type=Path, help="notes for the checker; default: the samples")
    parser.add_argument("--limit", type=int, default=50, help="how many of --notes")
    return parser.parse_args()


def main() -> None:
    """Run and print one JSON line."""
    options = arguments()
    base, recognizer = open_base(), open_recognizer(Settings().home)
    if recognizer is None:
        raise SystemExit("The span model cannot be run here; see `bedside doctor`.")
    readers: dict[str, FindingReader] = {
        "lexicon": base.extractor,
        "both": EntityFindings(base.extractor, recognizer),
    }
    records = (
        list(note_records(options.notes, options.limit)) if options.notes else sample_records()
    )
    made: dict[str, Any] = {
        path.name: {name: extraction(read(path), reader) for name, reader in readers.items()}
        for path in options.set
    }
    made["checker"] = {name: checking(records, base, reader) for name, reader in readers.items()}
    facts = {"model": recognizer.name, "knowledge": base.version, **describe()}
    print(json.dumps({"bench": "findings", **made, **facts}, ensure_ascii=False))


if __name__ == "__main__":
    main()
