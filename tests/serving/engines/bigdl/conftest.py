"""Checkpoints, a stand-in for the low-bit process, and the real environment where it is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "ir"))

import checkpoints

from serving.engines.bigdl import environment
from serving.engines.bigdl.engine import BigdlEngine, BigdlOptions

HERE = Path(__file__).parent
Fake = Callable[..., BigdlEngine]


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny-llama"
    return checkpoints.write(folder, "llama", context=2048)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder with an environment whose Python is this one."""
    folder = tmp_path / "home" / "engines" / "bigdl"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    (folder / "bedside.json").write_text(
        json.dumps({"version": "0", "pins": environment.RECIPES["bigdl"].pins})
    )
    return tmp_path / "home"


@pytest.fixture
def fake(llama: Path, home: Path) -> Fake:
    """Makes an engine whose process is ``fake_lowbit.py``; see there for its modes."""

    def make(mode: str = "echo", options: BigdlOptions | None = None) -> BigdlEngine:
        command = ("-E", "-s", str(HERE / "fake_lowbit.py"), mode)
        return BigdlEngine(llama, home, options, command=command)

    return make


@pytest.fixture(scope="module", params=["bigdl", "ipex-llm"])
def real_home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty data folder with an environment that has been installed."""
    name = request.param
    installed = Path(os.environ.get("BEDSIDE_HOME") or platformdirs.user_data_dir("bedside"))
    try:
        found = environment.find(installed, name)
    except environment.EnvironmentMissing:
        pytest.skip(f"{name} is not installed; `bedside engine install {name}` installs it")
    home = tmp_path_factory.mktemp(name)
    (home / "engines").mkdir()
    (home / "engines" / name).symlink_to(found.folder)
    return home
