"""A process that adds the vectors of a base: ``python -m knowledge.vector_worker BASE ENCODER``.

It writes a line for each batch (``{"done": 64, "total": 6287}``), or one that says why it ends
(``{"failed": "…"}``).  It gives way to everything else on the machine, and ends with the process
that started it, however that ends: its input closes.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from knowledge.layout import EMBEDDINGS
from knowledge.vectors import OtherEncoder, add_vectors
from serving.encoder.text_encoder import EncoderUnavailable, open_encoder

_NICENESS = 15


def main() -> int:
    """Add the vectors; the exit status is 0 when they are there."""
    base, encoder = Path(sys.argv[1]), sys.argv[2]
    os.nice(_NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        add_vectors(base, open_encoder(encoder), base.parent / EMBEDDINGS, _tell)
    except (EncoderUnavailable, OtherEncoder) as error:
        _say({"failed": str(error)})
        return 1
    except OSError as error:
        _say({"failed": f"{base}: {error.strerror}"})
        return 1
    return 0


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)  # a batch that is under way is not waited for: it is made again


def _tell(done: int, total: int) -> None:
    _say({"done": done, "total": total})


def _say(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    sys.exit(main())
