"""The order in which a page is read: rows from top to bottom, each from left to right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serving.ocr.detection import Box

_SAME_ROW = 0.5


def order(boxes: Sequence[Box]) -> list[int]:
    """Indexes of ``boxes`` as one reads them.

    A box belongs to a row if it overlaps the row's last box in height by half of the lower of both:
    rows of a page that is a little askew stay rows, as neighbours are compared.
    """
    spans = [(float(box[:, 1].min()), float(box[:, 1].max())) for box in boxes]
    middles = [float(np.mean(box[:, 0])) for box in boxes]
    rows: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda at: sum(spans[at])):
        row = next((row for row in rows[:-4:-1] if _beside(index, row, spans, middles)), None)
        if row is None:
            rows.append([index])
        else:
            row.append(index)
    rows.sort(key=lambda row: float(np.mean([sum(spans[at]) for at in row])))
    return [at for row in rows for at in sorted(row, key=lambda at: middles[at])]


def _beside(
    index: int, row: Sequence[int], spans: Sequence[tuple[float, float]], middles: Sequence[float]
) -> bool:
    nearest = min(row, key=lambda at: abs(middles[at] - middles[index]))
    top, bottom = spans[index]
    other_top, other_bottom = spans[nearest]
    shared = min(bottom, other_bottom) - max(top, other_top)
    return shared >= _SAME_ROW * min(bottom - top, other_bottom - other_top)
