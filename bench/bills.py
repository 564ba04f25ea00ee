"""Seconds a page and characters read right, beside ``rapidocr`` as it comes (onnxruntime).

Both read the same files, in turns, each opened anew; the pages are drawn by `bench.page_drawing`
with fonts of this machine.  What was found is put back on the flat sheet, row by row, and compared
with what was printed there, spaces left out.

    python -m bench.bills --rounds 1 --repetitions 5
    python -m bench.bills --folder 100
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rapidfuzz.distance import Levenshtein

from bench import page_drawing
from bench.machine import describe
from bench.page_drawing import DrawnPage

Found = list[tuple[str, float, float]]
"""(text, x, y): each line and its middle, in pixels of the file."""


def main() -> None:
    """Measure and print JSON lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1, help="pages of each kind")
    parser.add_argument("--kinds", nargs="+", help="only these kinds of pages")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--numbers", choices=("auto", "f32", "bf16", "int8"), default="auto")
    parser.add_argument("--alone", action="store_true", help="ours only")
    parser.add_argument("--show", action="store_true", help="print the rows that were misread")
    parser.add_argument("--folder", type=int, default=0, help="read this many pages in one go")
    options = parser.parse_args()
    pages = page_drawing.pages(options.rounds, options.seed)
    if options.kinds:
        pages = [page for page in pages if page.name in options.kinds]
    if options.folder:
        print(json.dumps(describe() | folder(pages, options.folder)))
        return
    readers: dict[str, Callable[[bytes], Found]] = {"here": here(options.numbers)}
    if not options.alone:
        readers["rapidocr"] = peer()
    for line in compared(readers, pages, options.repetitions, options.show):
        print(json.dumps(line | describe(), ensure_ascii=False), flush=True)


def here(numbers: str) -> Callable[[bytes], Found]:
    """Our reader, from bytes of a file to lines."""
    from serving.ocr.pages import open_pages
    from serving.ocr.reader import Ocr, default_ocr

    ocr = default_ocr() if numbers == "auto" else Ocr(numbers)  # type: ignore[arg-type]

    def read(content: bytes) -> Found:
        found: Found = []
        for page in open_pages(content, "page.jpg"):
            for line in ocr.read(page.image):
                across, down = np.mean(line.corners, axis=0)
                found.append((line.text, *page.to_original(float(across), float(down))))
        return found

    return read


def peer() -> Callable[[bytes], Found]:
    """``rapidocr`` with nothing set."""
    import logging

    from rapidocr import RapidOCR

    engine = RapidOCR()
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)

    def read(content: bytes) -> Found:
        made: Any = engine(content)
        if made.boxes is None:
            return []
        middles = np.asarray(made.boxes).mean(axis=1)
        return [(text, float(x), float(y)) for text, (x, y) in zip(made.txts, middles, strict=True)]

    return read


def compared(
    readers: dict[str, Callable[[bytes], Found]],
    pages: Sequence[DrawnPage],
    repetitions: int,
    show: bool,
) -> list[dict[str, Any]]:
    """A line for each kind of page, and one for all."""
    seconds: dict[tuple[str, int], list[float]] = {}
    busy: dict[tuple[str, int], list[float]] = {}
    errors: dict[tuple[str, int], int] = {}
    for read in readers.values():
        read(pages[0].content)
    for turn in range(repetitions):
        for place, page in enumerate(pages):
            for name, read in list(readers.items())[:: 1 if turn % 2 else -1]:
                started, used = time.perf_counter(), time.process_time()
                found = read(page.content)
                busy.setdefault((name, place), []).append(time.process_time() - used)
                seconds.setdefault((name, place), []).append(time.perf_counter() - started)
                print(turn, page.name, name, f"{seconds[name, place][-1]:.2f}", file=sys.stderr)
                if turn == 0:
                    errors[name, place] = misread(page, found, show and name == "here")
    lines = []
    kinds = [*dict.fromkeys(page.name for page in pages), "all"]
    for kind in kinds:
        chosen = [at for at, page in enumerate(pages) if kind in (page.name, "all")]
        count = sum(len(row.text) for at in chosen for row in pages[at].rows)
        line: dict[str, Any] = {"pages": kind, "characters": count}
        for name in readers:
            wrong = sum(errors[name, at] for at in chosen)
            median = statistics.mean(statistics.median(seconds[name, at]) for at in chosen)
            line[name] = {"percent_right": round(100 * (1 - wrong / count), 3)}
            line[name]["seconds_a_page"] = round(median, 3)
            # Less moved by what else a machine does; ours without the process that opens files.
            used = statistics.mean(statistics.median(busy[name, at]) for at in chosen)
            line[name]["processor_seconds_a_page"] = round(used, 3)
        if len(readers) == 2:
            ours, theirs = (line[name]["seconds_a_page"] for name in ("here", "rapidocr"))
            line["ratio"] = round(ours / theirs, 3)
        lines.append(line)
    return lines


def misread(page: DrawnPage, found: Found, show: bool = False) -> int:
    """Edits between what was found and what is printed, row by row."""
    middles = np.array([row.middle for row in page.rows])
    rows: list[list[tuple[float, str]]] = [[] for _ in page.rows]
    for text, x, y in found:
        across, down, scale = page.to_sheet @ (x, y, 1.0)
        rows[int(np.abs(middles - down / scale).argmin())].append((across / scale, text))
    wrong = 0
    for row, pieces in zip(page.rows, rows, strict=True):
        text = "".join(text for _, text in sorted(pieces)).replace(" ", "")
        edits = Levenshtein.distance(text, row.text)
        if edits and show:
            print(page.name, edits, row.text, "|", text)
        wrong += edits
    return wrong


def folder(pages: Sequence[DrawnPage], count: int) -> dict[str, Any]:
    """``bedside bill FOLDER`` over many pages: how busy the cores are, and how much memory all its
    processes take together."""
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="bedside-") as place:
        source = Path(place) / "in"
        source.mkdir()
        for number in range(count):
            content = pages[number % len(pages)].content
            (source / f"{number:04d}.jpg").write_bytes(content)
        command = ["-m", "assistant.cli", "bill", str(source), "--out", str(Path(place) / "out")]
        before, started = _children_seconds(), time.perf_counter()
        running = psutil.Popen([sys.executable, *command])
        most = 0
        while running.poll() is None:
            most = max(most, _memory(running))
            time.sleep(0.2)
        taken = time.perf_counter() - started
        used = _children_seconds() - before
        lines = (Path(place) / "out" / "bills.jsonl").read_bytes().count(b"\n")
    return {
        "pages": count,
        "lines": lines,
        "seconds_a_page": round(taken / count, 3),
        "processor_seconds_a_page": round(used / count, 3),
        "busy_percent_of_cores": round(100 * used / taken / cores, 1),
        "most_memory_mib": most >> 20,
    }


def _children_seconds() -> float:
    """Processor seconds of the processes that have ended, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory(process: psutil.Process) -> int:
    total = 0
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            total += one.memory_info().rss
    return total


if __name__ == "__main__":
    main()
