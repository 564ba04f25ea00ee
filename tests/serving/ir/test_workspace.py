"""A folder to work in goes when its work ends, however that ends."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from serving.ir.workspace import workspace

ROOT = Path(__file__).parents[3]
KILLED = """
import os, signal, sys
from pathlib import Path
from serving.ir.workspace import workspace
with workspace(Path(sys.argv[1])) as work:
    (work / "half").write_bytes(bytes(1000))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_there_while_it_is_used_and_gone_after(tmp_path: Path) -> None:
    target = tmp_path / "new" / "model"
    with workspace(target) as work:
        assert work.parent == target.parent
        assert work.name.startswith(".")
        (work / "file").write_text("a")
    assert left(tmp_path / "new") == []


def test_what_is_renamed_stays_and_others_may_read_it(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    with workspace(tmp_path / "model") as work:
        work.rename(tmp_path / "model")
    assert left(tmp_path) == ["model", "plain"]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (plain, tmp_path / "model")}
    assert len(modes) == 1


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
def test_it_goes_when_the_work_fails(tmp_path: Path, error: type[BaseException]) -> None:
    def work() -> None:
        with workspace(tmp_path / "model") as folder:
            (folder / "file").write_text("a")
            raise error

    with pytest.raises(error):
        work()
    assert left(tmp_path) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "model")]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert len(left(tmp_path)) == 1
    with workspace(tmp_path / "other"):
        assert len(left(tmp_path)) == 2
    with workspace(tmp_path / "model") as work:
        assert left(tmp_path) == [work.name]


def test_one_that_is_in_use_is_not_taken_for_left(tmp_path: Path) -> None:
    with workspace(tmp_path / "model") as first:
        (first / "file").write_text("a")
        with workspace(tmp_path / "model") as second:
            assert first != second
            assert (first / "file").read_text() == "a"
