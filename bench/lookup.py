"""Discharge records with prompt-lookup decoding against without, by the product's own chain.

Two engines with the same model, each in its own process, write the narrative sections of the sample
encounters in turns.  Every repetition changes the notes' first characters, so that no record has
been read before.  Greedy on both sides: the texts must be the same, and the share that is, is told.

    python -m bench.lookup --repetitions 5
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from assistant.record.encounter import Encounter
from assistant.tasks.discharge.chain import Delta, discharge_chain
from assistant.tasks.discharge.draft import SECTION_ZH
from bench.base import open_base
from bench.machine import describe
from knowledge.base import KnowledgeBase
from serving.chat_model import EngineChatModel
from serving.engines.openvino.engine import OpenVinoOptions
from serving.engines.openvino.worker_engine import WorkerEngine
from serving.models.catalog import DEFAULT_MODEL
from serving.models.store import ModelStore

SAMPLES = Path(__file__).parent.parent / "assistant" / "samples" / "encounters"
_WRITTEN = ("admission_condition", "hospital_course", "discharge_condition")


@dataclass(frozen=True, slots=True)
class Record:
    """What one engine wrote of one encounter."""

    text: str
    seconds: float


def encounters(mark: str) -> Iterator[tuple[str, Encounter]]:
    """The samples, each note beginning with ``mark``."""
    for path in sorted(SAMPLES.glob("*.json")):
        data = json.loads(path.read_text("utf-8"))
        for note in data["notes"]:
            note["text"] = f"编号{mark}。{note['text']}"
        yield path.stem, Encounter.model_validate(data)


async def write(engine: WorkerEngine, base: KnowledgeBase, encounter: Encounter) -> Record:
    """The narrative sections, as they stream; checking them is part of the time."""
    sections = [name for name in SECTION_ZH if name in _WRITTEN]
    chain = discharge_chain(base, engine, EngineChatModel(engine=engine), sections)
    text = ""
    begin = time.perf_counter()
    async for item in chain.astream(encounter):
        if isinstance(item, Delta):
            text += item.text
    return Record(text, time.perf_counter() - begin)


async def run(options: argparse.Namespace) -> None:
    """Measure all and print one line."""
    folder = options.folder or ModelStore(options.home).path(DEFAULT_MODEL)
    base = open_base()
    engines = {way: WorkerEngine(folder, OpenVinoOptions(prompt_lookup=way == 1)) for way in (0, 1)}
    ratios: list[float] = []
    seconds: dict[int, list[float]] = {0: [], 1: []}
    tokens: list[int] = []
    same = 0
    for repetition in range(options.repetitions):
        for name, encounter in encounters(str(time.time_ns())):
            order = (0, 1) if (repetition + len(ratios)) % 2 else (1, 0)
            found = {way: await write(engines[way], base, encounter) for way in order}
            equal = found[0].text == found[1].text
            same += equal
            ratios.append(found[0].seconds / found[1].seconds)
            tokens.append(engines[0].count_tokens(found[0].text))
            for way, record in found.items():
                seconds[way].append(record.seconds)
            told = f"{repetition + 1} {name}: {ratios[-1]:.2f}, {'same' if equal else 'other'} text"
            print(told, file=sys.stderr, flush=True)
    line = {
        "bench": "lookup",
        "times_as_fast": round(statistics.median(ratios), 2),
        "worst": round(min(ratios), 2),
        "best": round(max(ratios), 2),
        "seconds_without": round(statistics.median(seconds[0]), 2),
        "seconds_with": round(statistics.median(seconds[1]), 2),
        "written_tokens": round(statistics.median(tokens)),
        "same_text": f"{same}/{len(ratios)}",
        "repetitions": options.repetitions,
        "model": engines[0].card.name,
    }
    print(json.dumps(line | describe(), ensure_ascii=False))
    for engine in engines.values():
        await engine.close()


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(os.environ.get("BEDSIDE_HOME") or platformdirs.user_data_dir("bedside"))
    parser.add_argument("--home", type=Path, default=home, help="data home")
    parser.add_argument("--folder", type=Path, help="another prepared model")
    parser.add_argument("--repetitions", type=int, default=5)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
