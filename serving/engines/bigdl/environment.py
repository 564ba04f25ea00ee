"""The Python environments that the BigDL-LLM engine's process runs in, apart from Bedside's own.

BigDL-LLM and its successor need torch and Transformers in versions that are theirs, and are no
longer maintained; nothing of them is installed beside Bedside.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.models.file_lock import FileLock

Report = Callable[[str], None]

_log = logging.getLogger("bedside.serving.bigdl.environment")
_MARK = "bedside.json"
_LAST_LINES = 4

# Known to work together on Python 3.11.  torch is named with its CPU build, as the build that an
# index gives by default may bring gigabytes of GPU libraries along.
_COMMON = (
    "torch==2.13.0+cpu",
    "accelerate==1.15.0",
    "numpy==2.4.6",
    "py-cpuinfo==9.0.0",
    "pydantic==2.14.3",
    "safetensors==0.8.0",
)

# Holds answers to a grammar.  What it says it needs is for GPUs.
_GRAMMAR = "xgrammar==0.1.25"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an environment is made of: ``alone`` is installed without what it says it needs.

    ``package`` is the module that holds the low-bit layers, ``note`` what a user should know of it.
    """

    package: str
    alone: str
    beside: tuple[str, ...]
    note: str = ""

    @property
    def pins(self) -> tuple[str, ...]:
        """Every requirement that is named."""
        return (*_COMMON, *self.beside, _GRAMMAR, self.alone)


RECIPES: dict[str, Recipe] = {
    "bigdl": Recipe(
        "bigdl.llm",
        "bigdl-llm==2.4.0",
        ("transformers==5.5.4", "huggingface-hub==1.33.0", "tokenizers==0.22.2"),
    ),
    # It names classes that Transformers 5 no longer has.
    "ipex-llm": Recipe(
        "ipex_llm",
        "ipex-llm==2.2.0",
        ("transformers==4.51.3", "huggingface-hub==0.36.2", "tokenizers==0.21.4"),
        "ipex-llm is archived, and its authors speak of known security issues that will not be "
        "fixed. Bedside keeps it in a process of its own that opens no network connection.",
    ),
}


class EnvironmentMissing(Exception):
    """An environment is not there or cannot be made; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment that is there and whole."""

    name: str
    folder: Path
    version: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def package(self) -> str:
        """The module that holds the low-bit layers: ``bigdl.llm`` or ``ipex_llm``."""
        return RECIPES[self.name].package

    @property
    def libraries(self) -> Path:
        """The folder of the kernel libraries."""
        places = sorted(self.folder.glob("lib/python3*/site-packages"))
        return places[0].joinpath(*self.package.split("."), "libs")


def find(home: Path, name: str) -> Environment:
    """The environment called ``name``.

    Raises:
        EnvironmentMissing: there is none, or it is incomplete.
    """
    folder = _folder(home, name)
    try:
        mark = json.loads((folder / _MARK).read_text(encoding="utf-8"))
        found, pins = Environment(name, folder, str(mark["version"])), mark["pins"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EnvironmentMissing(
            f"The engine {name} is not installed; run `bedside engine install {name}`."
        ) from error
    if pins != [*RECIPES[name].pins]:
        raise EnvironmentMissing(
            f"The engine {name} was installed with other versions than this release needs; run "
            f"`bedside engine install {name}` again."
        )
    if not found.python.exists():
        raise EnvironmentMissing(
            f"The Python that {folder} was made with is gone; run `bedside engine remove {name}`, "
            f"then `bedside engine install {name}`."
        )
    return found


def install(home: Path, name: str, options: Sequence[str], report: Report) -> Environment:
    """Make the environment, unless it is there and whole.

    ``options`` go to pip as they are (``--index-url``, ``--find-links`` and the like); ``report``
    is told pip's lines as they come.

    Raises:
        EnvironmentMissing: it cannot be made; nothing is left of it.
    """
    folder, recipe = _folder(home, name), RECIPES[name]
    with FileLock(folder.parent / f".{name}.lock"):
        try:
            return find(home, name)
        except EnvironmentMissing:
            shutil.rmtree(folder, ignore_errors=True)
        try:
            _make(folder, recipe, options, report)
            version = _check(folder, recipe)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        mark = {"version": version, "pins": recipe.pins}
        (folder / _MARK).write_text(json.dumps(mark, indent=2) + "\n", encoding="utf-8")
    _log.info("environment %s installed", name)
    return Environment(name, folder, version)


def remove(home: Path, name: str) -> None:
    """Delete the environment; nothing happens where there is none."""
    folder = _folder(home, name)
    with FileLock(folder.parent / f".{name}.lock"):
        shutil.rmtree(folder, ignore_errors=True)


def plain_environment() -> dict[str, str]:
    """This process's variables without those that would lead another Python astray."""
    strays = ("PYTHON", "VIRTUAL_ENV", "LD_PRELOAD", "HF_", "TRANSFORMERS_", "BEDSIDE_")
    return {key: value for key, value in os.environ.items() if not key.startswith(strays)}


def _folder(home: Path, name: str) -> Path:
    if name not in RECIPES:
        raise EnvironmentMissing(f"There is no engine {name!r}; there are: {', '.join(RECIPES)}.")
    return home / "engines" / name


def _make(folder: Path, recipe: Recipe, options: Sequence[str], report: Report) -> None:
    report(f"making {folder}")
    try:
        venv.create(folder, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise EnvironmentMissing(
            f"{folder} cannot be made with {sys.executable}: {type(error).__name__}. "
            "Where Python came from the system, its venv package may have to be installed."
        ) from error
    _pip(folder, [*options, *_COMMON, *recipe.beside], report)
    _pip(folder, [*options, "--no-deps", _GRAMMAR, recipe.alone], report)


def _pip(folder: Path, arguments: Sequence[str], report: Report) -> None:
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", *arguments]
    tail: list[str] = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=plain_environment(),
    ) as child:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                if text := line.strip():
                    tail = [*tail[1 - _LAST_LINES :], text]
                    report(text)
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        raise EnvironmentMissing(
            "pip could not install the engine. Where the CPU build of torch (2.13.0+cpu) is what "
            "is missing, name an index or a folder that has it: --extra-index-url or --find-links. "
            f"pip said: {' / '.join(tail)}"
        )


def _check(folder: Path, recipe: Recipe) -> str:
    """Import what was installed; returns its version."""
    code = (
        "import importlib.metadata, importlib.util, sys, torch, transformers, accelerate, cpuinfo; "
        "import xgrammar; "
        "assert importlib.util.find_spec(sys.argv[1]); "
        "print(importlib.metadata.version(sys.argv[2]))"
    )
    distribution = recipe.alone.partition("==")[0]
    done = subprocess.run(
        [str(folder / "bin" / "python"), "-c", code, recipe.package, distribution],
        capture_output=True,
        text=True,
        env=plain_environment(),
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        raise EnvironmentMissing(f"What was installed cannot be imported: {last[0]}")
    return done.stdout.strip().splitlines()[-1]
