"""Lines → files by split, with a manifest: what they are made of, how many, their hashes."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assistant.training.data.line import Line, distinct, texts
from assistant.whole_file import whole

MANIFEST = "manifest.json"


class DataInvalid(Exception):
    """Nothing was written; the message says why."""


@dataclass(frozen=True, slots=True)
class Built:
    """``counts``: lines by split; ``dropped``: those that said what another does."""

    folder: Path
    counts: dict[str, int]
    dropped: int
    manifest: dict[str, Any]


def build(
    lines: Iterable[Line],
    folder: Path,
    kind: str,
    licence: str,
    *,
    names: Collection[str] = (),
    facts: dict[str, Any] | None = None,
) -> Built:
    """Write ``train.jsonl``, ``dev.jsonl``, ``test.jsonl`` and the manifest, which comes last.

    ``names``: real names that stand in no line, or nothing is written.

    Raises:
        DataInvalid: there is no line, a line holds a name, or the disk is full.
    """
    kept, dropped = distinct(lines)
    if not kept:
        raise DataInvalid(f"没有可用的数据：{kind}。(There is nothing to make lines from.)")
    hold(kept, names)
    files: dict[str, Any] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for split in ("train", "dev", "test"):
            content = "".join(line.written() + "\n" for line in kept if line.split == split)
            path = folder / f"{split}.jsonl"
            with whole(path) as partial:
                partial.write_text(content, encoding="utf-8")
            files[path.name] = {
                "lines": content.count("\n"),
                "sha256": hashlib.sha256(content.encode()).hexdigest(),
            }
        manifest = {
            "format": 1,
            "kind": kind,
            "licence": licence,
            "deidentified": True,
            "made_by": f"bedside {version('bedside')}",
            "files": files,
            "dropped_as_same": dropped,
            "origins": dict(Counter(str(line.origin.get("source")) for line in kept)),
            **(facts or {}),
        }
        with whole(folder / MANIFEST) as partial:
            partial.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise DataInvalid(
            f"{folder} 写入失败：{error.strerror}。(The folder cannot be written.)"
        ) from error
    return Built(folder, {name: one["lines"] for name, one in files.items()}, dropped, manifest)


def hold(lines: Collection[Line], names: Collection[str]) -> None:
    """Raise `DataInvalid` where a line holds one of ``names``; it says how many, not which."""
    real = sorted({name for name in names if len(name) > 1}, key=len, reverse=True)
    if not real:
        return
    pattern = re.compile("|".join(map(re.escape, real)))
    found = sum(any(pattern.search(text) for text in texts(line.content)) for line in lines)
    if found:
        raise DataInvalid(
            f"{found} 行中仍有患者姓名或号码，已拒绝导出。"
            f"({found} lines still hold a patient's name or number, so nothing was written.)"
        )


def checked_manifest(file: Path) -> dict[str, Any] | None:
    """The manifest beside a file, where it names the file with the hash that it has."""
    try:
        manifest: Any = json.loads((file.parent / MANIFEST).read_bytes())
        hashed = manifest["files"][file.name]["sha256"]
        right = hashed == hashlib.sha256(file.read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return manifest if right else None
