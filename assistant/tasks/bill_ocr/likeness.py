"""Two pictures of one page are known by a hash of what they look like from afar.

The difference hash: the page is shrunk to 17 × 16 grey pixels, and each bit says whether a pixel is
brighter than its right neighbour.
"""

from __future__ import annotations

from typing import Any

_SIDE = 16
NEAR = 10
"""Bits of 256 that may differ in two pictures of one page."""


def likeness(image: Any) -> str:
    """64 hexadecimal figures for a picture (uint8, height × width × 3)."""
    import numpy as np
    from PIL import Image

    small = Image.fromarray(image).convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.BOX)
    grey = np.asarray(small, dtype=np.int16)
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return np.packbits(bits).tobytes().hex()


def apart(one: str, other: str) -> int:
    """In how many bits two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
