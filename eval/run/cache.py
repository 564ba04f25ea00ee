"""Answers by the hash of all that changes them, kept across runs in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eval.errors import EvalError
from serving.engine import Completion, Usage
from serving.reasoning import has_tags


class Cache:
    """One file; a second process may use it at the same time."""

    def __init__(self, path: Path) -> None:
        """Make or open the file.

        Raises:
            EvalError: it is no cache, or cannot be written.
        """
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL)"
            )
        except (OSError, sqlite3.Error) as error:
            raise EvalError(f"The cache {path} cannot be used ({error}).") from error

    def get(self, key: str) -> Completion | None:
        """The answer that was kept under ``key``."""
        found = self._base.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        if found is None:
            return None
        answer: dict[str, Any] = json.loads(found[0])
        if has_tags(answer["text"]):
            # Kept before thoughts were told from answers.
            return None
        return Completion(answer["text"], answer["finish_reason"], Usage(**answer["usage"]))

    def put(self, key: str, answer: Completion) -> None:
        """Keep ``answer``."""
        text = json.dumps(
            {
                "text": answer.text,
                "finish_reason": answer.finish_reason,
                "usage": asdict(answer.usage),
            },
            ensure_ascii=False,
        )
        self._base.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, text))

    def close(self) -> None:
        """Close the file."""
        self._base.close()
