"""Matching of written names to the insurer's catalogue: right, answered, wrong, and how long.

Lists and names are made (`bench.catalogue_items`); fitting and measuring use different seeds, and
a tenth more names are of things that it has not.  One JSON line on standard output.

    python -m bench.catalogue --seed 11                    # 1,000 names over 5,000 entries
    python -m bench.catalogue --items 200000 --seed 12     # time
    python -m bench.catalogue --fit                        # writes catalogue_calibration.yaml
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml

from assistant.tasks.bill_ocr.catalogue import calibration
from assistant.tasks.bill_ocr.catalogue.building import build
from assistant.tasks.bill_ocr.catalogue.calibration import Features
from assistant.tasks.bill_ocr.catalogue.entry import Entry
from assistant.tasks.bill_ocr.catalogue.matching import features_of, match
from assistant.tasks.bill_ocr.catalogue.search import Catalogue
from bench.catalogue_items import Question, held_out_words, made_list, questions

FIT_LISTS = ((5_000, (101, 102, 103, 104)), (40_000, (105, 106)))
"""Entries of the lists that are fitted on, and their seeds: names lie closer in a longer list."""

MOST_WRONG = 0.002
"""The share of wrong answers that the threshold is set for; 0.005 is what is promised."""

ABSENT = 0.1
ABSENT_WEIGHT = 3
"""In fitting: a hospital's lists lack more than a tenth of what bills may say."""

_HOME = Path(__file__).parent.parent / "assistant/tasks/bill_ocr/data/catalogue_calibration.yaml"


def asked(items: int, names: int, seed: int) -> tuple[list[Entry], list[Question]]:
    """A list and names of it, and names of things that it has under no name.

    Whole generics, tests and parts of the body are taken out of the list before: those are the
    names whose neighbours are easily taken for them.
    """
    made = made_list(items + items // 10, seed)
    without = held_out_words(seed)
    listed = [entry for entry in made if not any(word in entry.name for word in without)]
    absent = [entry for entry in made if any(word in entry.name for word in without)]
    return listed[:items], questions(listed[:items], names, seed + 1, absent[: int(names * ABSENT)])


def measure(items: int, names: int, seed: int, show: int) -> dict[str, object]:
    """The figures of one seed."""
    listed, asked_for = asked(items, names, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.sqlite"
        begun = time.perf_counter()
        build(path, listed)
        built = time.perf_counter() - begun
        catalogue = Catalogue(path)
        seconds, outcomes, reasons = [], Counter[str](), Counter[str]()
        for question in asked_for:
            begun = time.perf_counter()
            found = match(catalogue, question.written)
            seconds.append(time.perf_counter() - begun)
            code = found.entry.code if found.entry else ""
            top = found.candidates[0].entry.code if found.candidates else ""
            of_list = "listed" if question.code else "absent"
            outcome = "unanswered" if not code else "right" if code == question.code else "wrong"
            outcomes[f"{of_list} {outcome}"] += 1
            outcomes["top1"] += bool(question.code) and top == question.code
            reasons[f"{of_list} {found.reason}"] += bool(found.reason)
            if show and outcome != "right":
                print(outcome, found.reason, question, found.candidates[:2], file=sys.stderr)
        megabytes = path.stat().st_size / 1e6
    listed_count = sum(bool(q.code) for q in asked_for)
    answered = outcomes["listed right"] + outcomes["listed wrong"]
    return {
        "items": items,
        "names": listed_count,
        "absent": len(asked_for) - listed_count,
        "seed": seed,
        "top1_of_answered": round(outcomes["listed right"] / max(answered, 1), 4),
        "top1_of_all": round(outcomes["top1"] / listed_count, 4),
        "answered": round(answered / listed_count, 4),
        "wrong_of_all_names": round(
            (outcomes["listed wrong"] + outcomes["absent wrong"]) / len(asked_for), 4
        ),
        "absent_answered": outcomes["absent wrong"],
        "reasons": dict(reasons),
        "p50_ms": round(1000 * statistics.median(seconds), 1),
        "p95_ms": round(1000 * sorted(seconds)[int(len(seconds) * 0.95)], 1),
        "build_seconds": round(built, 1),
        "file_mb": round(megabytes, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def gathered(names: int) -> tuple[list[Features], list[bool], list[int]]:
    """What would be chosen for the names of the fitting lists, whether it is right, its weight."""
    told, right, weights = [], [], []
    for items, seed in ((items, seed) for items, seeds in FIT_LISTS for seed in seeds):
        listed, asked_for = asked(items, names, seed)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "catalogue.sqlite"
            build(path, listed)
            catalogue = Catalogue(path)
            for question in asked_for:
                found = features_of(catalogue, question.written)
                if found is not None:
                    told.append(found[1])
                    right.append(found[0].code == question.code)
                    weights.append(1 if question.code else ABSENT_WEIGHT)
    return told, right, weights


def fit(names: int) -> None:
    """Write the weights and the lowest threshold at which few enough answers are wrong."""
    from sklearn.linear_model import LogisticRegression

    told, right, counts = gathered(names)
    columns = list(told[0].values())
    rows = [list(features.values().values()) for features in told]
    model = LogisticRegression(C=10.0, max_iter=1000).fit(rows, right, counts)
    weights = dict(zip(columns, (round(float(w), 4) for w in model.coef_[0]), strict=True))
    weights["intercept"] = round(float(model.intercept_[0]), 4)
    chances = model.predict_proba(rows)[:, 1]
    ranked = sorted(zip(chances, right, counts, strict=True), reverse=True)
    wrong, number, threshold = 0, 0, 0.999
    for chance, good, count in ranked:
        number += count
        wrong += 0 if good else count
        if wrong / number <= MOST_WRONG:
            threshold = float(chance)
    weights["threshold"] = round(min(threshold + 1e-4, 0.999), 4)
    head = "# Fitted by bench/catalogue.py --fit on seeds that are not measured on.\n"
    _HOME.write_text(head + yaml.safe_dump(weights, sort_keys=True), "utf-8")
    calibration._weights.cache_clear()
    print(json.dumps({"fitted_on": len(told), "wrong": right.count(False), **weights}))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--names", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--show", type=int, default=0)
    given = parser.parse_args()
    if given.fit:
        fit(given.names)
    else:
        print(json.dumps(measure(given.items, given.names, given.seed, given.show)))


if __name__ == "__main__":
    main()
