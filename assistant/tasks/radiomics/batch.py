"""Features of many regions: a process a core, a row as soon as it is there.

A row that is in the table is not made again, so the same call goes on after a stop.
"""

from __future__ import annotations

import csv
import io
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.imaging.problem import ImageProblem
from assistant.tasks.radiomics.extraction import Report
from assistant.tasks.radiomics.settings import Settings

_AHEAD = 2
"""Cases that a worker is given in advance."""


class CaseOfList(BaseModel):
    """One line of a list; paths may be relative to it."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    id: str = Field(min_length=1, max_length=200)
    image: str = Field(min_length=1)
    mask: str = Field(min_length=1)
    roi: str = ""
    modality: str = ""


def read_cases(path: Path) -> list[CaseOfList]:
    """The cases of a CSV with the columns id, image, mask and, if wanted, roi and modality.

    Raises `ImageProblem`.
    """
    try:
        # A table that a Chinese spreadsheet wrote is GB 18030.
        try:
            text = path.read_text("utf-8-sig")
        except UnicodeDecodeError:
            text = path.read_text("gb18030")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        found = [CaseOfList.model_validate(row) for row in rows]
    except (OSError, UnicodeDecodeError, ValidationError, csv.Error):
        raise ImageProblem(
            "病例列表无法读取：须为 UTF-8 或 GB18030 的 CSV，"
            "含 id、image、mask 列（可加 roi、modality）。",
            "The list of cases must be a CSV (UTF-8, GB 18030) with columns id, image, mask.",
        ) from None
    if not found:
        raise ImageProblem("病例列表里没有病例。", "There is no case in the list of cases.")
    if len({case.id for case in found}) < len(found):
        raise ImageProblem("病例列表的 id 有重复。", "Ids of the list of cases are not unique.")
    return found


def extract_all(
    cases: list[CaseOfList], folder: Path, out: Path, settings: Settings, jobs: int, report: Report
) -> int:
    """Write the table ``out``; how many cases could not be measured (their row says why).

    Raises `ImageProblem` where ``out`` was begun with other settings.
    """
    _check_settings(out, settings)
    done = _ids(out)
    left = [case for case in cases if case.id not in done]
    finished, failed = len(cases) - len(left), 0
    report(finished, len(cases), "病例 cases")
    with (
        out.open("a", encoding="utf-8", newline="") as file,
        ProcessPoolExecutor(
            jobs, mp_context=get_context("spawn"), initializer=_end_with_parent
        ) as pool,
    ):
        for row in _rows(pool, left, folder, settings, jobs * _AHEAD):
            failed += bool(row["problem"])
            _append(file, out, row)
            finished += 1
            report(finished, len(cases), "病例 cases")
    return failed


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next case for ever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _rows(
    pool: ProcessPoolExecutor, cases: list[CaseOfList], folder: Path, settings: Settings, most: int
) -> Iterator[dict[str, str]]:
    waiting = iter(cases)
    running = {pool.submit(_row, case, folder, settings) for case in islice(waiting, most)}
    while running:
        ended, running = wait(running, return_when=FIRST_COMPLETED)
        for one in ended:
            yield one.result()
            if (case := next(waiting, None)) is not None:
                running.add(pool.submit(_row, case, folder, settings))


def _row(case: CaseOfList, folder: Path, settings: Settings) -> dict[str, str]:
    """The values of a case by their tags, or its problem."""
    from assistant.imaging.source import known_as, read_image, read_region
    from assistant.imaging.web import is_address
    from assistant.tasks.radiomics.extraction import extract

    try:
        image, mask = (
            Path(one) if is_address(Path(one)) else folder / one for one in (case.image, case.mask)
        )
        volume = known_as(read_image(image), case.modality)
        region = read_region(mask, volume, case.roi)
        found = extract(volume, region.mask, settings)
    except ImageProblem as problem:
        return {"id": case.id, "problem": str(problem)}
    values = {one.tag: "" if one.value is None else repr(one.value) for one in found}
    return {"id": case.id, "problem": ""} | values


def _append(file: TextIO, out: Path, row: dict[str, str]) -> None:
    """Add a row; the columns are those of the first case that could be measured."""
    names = _columns(out)
    if len(names) <= 2 < len(row):
        # Only problems so far: they are written anew under the whole head.
        earlier = _read(out) if names else []
        file.truncate(0)
        names = list(row)
        csv.writer(file).writerow(names)
        csv.DictWriter(file, names, restval="").writerows(earlier)
    elif not names:
        names = list(row)
        csv.writer(file).writerow(names)
    csv.DictWriter(file, names, restval="").writerow(row)
    file.flush()


def _columns(out: Path) -> list[str]:
    with out.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _read(out: Path) -> list[dict[str, str]]:
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _ids(out: Path) -> set[str]:
    """What is there; a row that a stop has cut short is taken away."""
    if not out.exists():
        return set()
    text = out.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        out.write_bytes(whole)
    return {row["id"] for row in _read(out)}


def _same(written: str, settings: Settings) -> bool:
    """Whether a table was begun with these settings; what was added since has its default there."""
    try:
        return Settings.model_validate_json(written) == settings
    except ValidationError:
        return False


def _check_settings(out: Path, settings: Settings) -> None:
    beside = out.with_name(out.name + ".settings.json")
    wanted = json.dumps(settings.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    if out.exists() and beside.exists() and not _same(beside.read_text("utf-8"), settings):
        raise ImageProblem(
            "输出表是用其他设置开始的，请换一个文件名，或加 --restart。",
            "The table was begun with other settings; name another, or give --restart.",
        )
    beside.write_text(wanted, "utf-8")
