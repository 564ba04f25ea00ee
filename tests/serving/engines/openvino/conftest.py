"""The tiny checkpoints and references lie beside the tests of conversion."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "ir"))
