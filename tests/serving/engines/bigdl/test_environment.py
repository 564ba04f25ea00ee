"""Environments are made whole or not at all.  Wheels of nothing stand in for the libraries."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from serving.engines.bigdl import environment
from serving.engines.bigdl.environment import RECIPES, EnvironmentMissing


def write_wheel(folder: Path, requirement: str, module: str) -> None:
    name, version = requirement.split("==")
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{module.replace('.', '/')}/__init__.py", "")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a wheel for every pin; pip looks nowhere else."""
    for variable in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    folder = tmp_path / "wheels"
    folder.mkdir()
    modules = {"py-cpuinfo": "cpuinfo", "bigdl-llm": "bigdl.llm", "ipex-llm": "ipex_llm"}
    for recipe in RECIPES.values():
        for pin in recipe.pins:
            name = pin.partition("==")[0]
            write_wheel(folder, pin, modules.get(name, name.replace("-", "_")))
    return folder


def options(wheels: Path) -> list[str]:
    return ["--no-index", "--find-links", str(wheels)]


def test_it_is_made_once_and_can_be_removed(wheels: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    made = environment.install(tmp_path, "ipex-llm", options(wheels), lines.append)
    assert made == environment.find(tmp_path, "ipex-llm")
    assert made.version == "2.2.0"
    assert made.libraries.parts[-3:] == ("site-packages", "ipex_llm", "libs")
    assert any("torch" in line for line in lines)
    found = subprocess.run([made.python, "-c", "import torch"], capture_output=True)
    assert found.returncode == 0
    lines.clear()
    assert environment.install(tmp_path, "ipex-llm", [], lines.append) == made
    assert lines == [], "what is there is not made again"
    environment.remove(tmp_path, "ipex-llm")
    with pytest.raises(EnvironmentMissing, match="bedside engine install ipex-llm"):
        environment.find(tmp_path, "ipex-llm")


def test_what_fails_leaves_nothing_and_can_be_tried_again(wheels: Path, tmp_path: Path) -> None:
    left = tmp_path / "engines" / "bigdl" / "lib" / "of an attempt that was cut short"
    left.mkdir(parents=True)
    torch = next(wheels.glob("torch-*"))
    aside = tmp_path / torch.name
    torch.rename(aside)
    with pytest.raises(EnvironmentMissing, match="--find-links"):
        environment.install(tmp_path, "bigdl", options(wheels), lambda line: None)
    assert not (tmp_path / "engines" / "bigdl").exists()
    aside.rename(torch)
    made = environment.install(tmp_path, "bigdl", options(wheels), lambda line: None)
    assert made.libraries.parts[-4:] == ("site-packages", "bigdl", "llm", "libs")


def test_an_interpreter_that_is_gone_is_said(tmp_path: Path, home: Path) -> None:
    python = home / "engines" / "bigdl" / "bin" / "python"
    python.unlink()
    python.symlink_to(tmp_path / "gone")
    with pytest.raises(EnvironmentMissing, match="bedside engine remove bigdl"):
        environment.find(home, "bigdl")


def test_one_with_the_versions_of_another_release_is_made_again(home: Path) -> None:
    mark = home / "engines" / "bigdl" / "bedside.json"
    told = json.loads(mark.read_text())
    mark.write_text(json.dumps(told | {"pins": ["torch==1"]}))
    with pytest.raises(EnvironmentMissing, match=r"other versions.*engine install bigdl"):
        environment.find(home, "bigdl")


def test_only_known_engines_have_one(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissing, match="ipex-llm"):
        environment.find(tmp_path, "../models")
    with pytest.raises(EnvironmentMissing):
        environment.remove(tmp_path, "../models")
