"""What is computed from a knowledge base, kept beside it so that the next start reads it.

A base never changes, and the file's name holds a hash of the code that made it: what is found is
right, or it is not found.  It is JSON, and is only ever read as data.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from assistant.whole_file import whole

logger = logging.getLogger("bedside.assistant.structuring")


def derived(folder: Path, name: str, code: Sequence[ModuleType], make: Callable[[], Any]) -> Any:
    """What ``make`` gives, from its file in ``folder`` where that is there; written where not.

    ``code``: the modules that decide the result.
    """
    path = folder / f"{name}-{_digest(code)}.json"
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        logger.warning("%s is made again (%s)", path, type(error).__name__)
    made = make()
    try:
        with whole(path) as partial:
            partial.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    except OSError as error:  # a base that only another user may write to
        logger.debug("%s is not kept: %s", path, error)
    return made


def _digest(code: Sequence[ModuleType]) -> str:
    digest = hashlib.sha256()
    for module in code:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]
