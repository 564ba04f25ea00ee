"""What may be trained on: data whose manifest says that it is de-identified, or where no name is
found."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from assistant.training.data.build import checked_manifest
from assistant.training.data.identifying import find
from assistant.training.dataset import DatasetInvalid
from assistant.training.lm.lines import Row

_PERSONAL = ("name", "id", "phone", "account")


def facts_of(files: Iterable[Path]) -> list[dict[str, Any]]:
    """Name, hash, licence and whether it is de-identified, of every file."""
    found = []
    for file in files:
        manifest = checked_manifest(file) if file.is_file() else None
        found.append(
            {
                "name": file.name,
                "sha256": _digest(file),
                "deidentified": bool(manifest and manifest.get("deidentified")),
                "licence": str((manifest or {}).get("licence", "not stated")),
            }
        )
    return found


def refuse_named(rows: Sequence[Row]) -> None:
    """Raise `DatasetInvalid` where a row tells who somebody is; it says which rows, not who."""
    kinds: Counter[str] = Counter()
    places = []
    for row in rows:
        found = [place.kind for place in find(row.content) if place.kind in _PERSONAL]
        if found:
            kinds.update(found)
            places.append(row.place)
    if places:
        sums = "、".join(f"{kind} {count}" for kind, count in kinds.items())
        raise DatasetInvalid(
            f"数据中仍有 {len(places)} 行含姓名或号码（{sums}；如 {'、'.join(places[:3])}）。请用 "
            "bedside data build 生成去标识的数据；确认只是误判时加 --named。"
            f"({len(places)} lines hold a name or number. Make de-identified data with "
            "`bedside data build`; give --named where you have seen that none is a patient's.)"
        )


def _digest(path: Path) -> str:
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.read_bytes())
    return whole.hexdigest()
