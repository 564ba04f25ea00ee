from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.tasks.structuring.windows import merged, windows


@given(st.integers(0, 5_000), st.integers(2, 300), st.data())
def test_windows_cover_every_token_and_overlap(length: int, size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, size // 2))
    parts = windows(length, size, overlap)
    assert sorted({place for part in parts for place in range(part.start, part.end)}) == list(
        range(length)
    )
    assert all(0 < part.length <= size for part in parts)
    assert len({part.length for part in parts}) <= 1
    for before, after in pairwise(parts):
        assert before.start < after.start
        assert before.end - after.start >= overlap


@given(st.integers(1, 400), st.integers(4, 60), st.integers(0, 2**31), st.data())
def test_each_span_up_to_the_overlap_is_found_once(
    length: int, size: int, seed: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(1, size // 2))
    parts = windows(length, size, overlap)
    starts = data.draw(st.lists(st.integers(0, length - 1), max_size=20))
    spans = {(0, start, min(length - 1, start + (start * 7 + seed) % overlap)) for start in starts}
    # Each window sees the spans that lie in it whole, and scores them by its own number.
    seen = [
        [
            (kind, first - part.start, last - part.start, float(index))
            for kind, first, last in sorted(spans)
            if part.start <= first and last < part.end
        ]
        for index, part in enumerate(parts)
    ]
    found = [(kind, first, last) for kind, first, last, _ in merged(seen, parts, length)]
    assert sorted(found) == sorted(spans)


def test_the_window_with_more_around_a_span_decides() -> None:
    parts = windows(16, 10, 4)
    assert [(part.start, part.end) for part in parts] == [(0, 10), (6, 16)]
    # Tokens 8 and 9 end at the first window's cut; the second has two tokens before them.
    first_only = [[(0, 8, 9, 1.0)], []]
    assert list(merged(first_only, parts, 16)) == []
    both = [[(0, 8, 9, 1.0)], [(0, 2, 3, 2.0)]]
    assert list(merged(both, parts, 16)) == [(0, 8, 9, 2.0)]


def test_an_overlap_of_more_than_half_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap of 6"):
        windows(100, 10, 6)
