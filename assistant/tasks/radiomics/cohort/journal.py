"""What is done already of a long piece of work, so that a stop costs little."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Journal:
    """A file of JSON lines: the fingerprint of the work, then a finished part a line."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Parts of other work than that of ``fingerprint`` are dropped."""
        self._path = path
        self.done: dict[str, Any] = {}
        if not self._read(fingerprint):
            path.write_text(json.dumps({"fingerprint": fingerprint}) + "\n", "utf-8")

    def add(self, name: str, made: Any) -> None:
        """Keep a part."""
        self.done[name] = made
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"part": name, "made": made}, ensure_ascii=False) + "\n")

    def remove(self) -> None:
        """The work is done."""
        self._path.unlink(missing_ok=True)

    def _read(self, fingerprint: str) -> bool:
        """Take what is there; a line that a stop cut off, and what follows it, is not."""
        if not self._path.exists():
            return False
        kept = []
        for number, line in enumerate(self._path.read_bytes().split(b"\n")[:-1]):
            try:
                row = json.loads(line)
            except ValueError:
                break
            if number == 0:
                if row != {"fingerprint": fingerprint}:
                    return False
            else:
                self.done[row["part"]] = row["made"]
            kept.append(line)
        if not kept:
            return False
        self._path.write_bytes(b"\n".join(kept) + b"\n")
        return True
