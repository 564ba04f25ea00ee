from __future__ import annotations

import mmap
import sys
import time
from pathlib import Path

import psutil
import pytest

from serving.hardware import resident

SIZE = 64 << 20
linux = pytest.mark.skipif(sys.platform != "linux", reason="madvise of a mapping is Linux's")


def memory() -> int:
    return int(psutil.Process().memory_info().rss)


@linux
def test_pages_of_a_mapped_file_are_given_back_and_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert sum(mapped[place] for place in range(0, SIZE, 4096)) == 0
        full = memory()
        assert resident.release(path) == SIZE
        assert memory() < full - SIZE // 2
        assert mapped[SIZE - 1] == 255


@linux
def test_a_mapping_that_may_be_written_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(bytes(8192))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE) as mapped:
        mapped[0] = 7
        assert resident.release(path) == 0
        assert mapped[0] == 7


def test_a_file_that_is_not_mapped_is_no_error(tmp_path: Path) -> None:
    assert resident.release(tmp_path / "none") == 0


@linux
def test_what_a_loader_reads_is_dropped_while_it_loads(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        empty, deadline = memory(), time.monotonic() + 30
        with resident.released_meanwhile(path):
            assert sum(mapped[place] for place in range(0, SIZE, 4096)) == 0
            while memory() > empty + SIZE // 2:
                assert time.monotonic() < deadline, "nothing was dropped"
                time.sleep(0.02)
            assert mapped[SIZE - 1] == 255
