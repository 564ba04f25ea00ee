"""The ``bedside`` command."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import entry_points, version
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.lazy_commands import Row, lazy_app, mounted, task_row
from assistant.libraries import quiet_libraries

if TYPE_CHECKING:
    from serving.engine import Engine

_OURS = ("serving", "knowledge", "assistant", "eval")

COMMANDS = (
    Row(
        "serve",
        "assistant.commands.serve:serve",
        "Serve the UI at / and the API, documented at /docs.",
        "Example: bedside serve --port 9000",
    ),
    Row(
        "setup",
        "assistant.commands.installation:setup",
        "Pull the demo model and build the knowledge base, unless they are there.",
    ),
    Row(
        "doctor",
        "assistant.commands.installation:doctor",
        "Processor, memory, models, knowledge base, store: what is there and what is wrong.",
    ),
    Row(
        "settings",
        "assistant.commands.installation:settings",
        "Every setting as Markdown, generated from the settings object.",
    ),
    Row(
        "reference",
        "assistant.commands.installation:reference",
        "Every command as Markdown, generated from the commands themselves.",
        hidden=True,
    ),
    Row(
        "chat",
        "assistant.commands.chat:chat",
        "Talk to a model: answers stream, Ctrl-C stops one, /exit ends.",
        "例 Examples: bedside chat chatglm3-6b\n\n"
        'bedside chat /srv/models/glm-4-9b-int4 --prompt "高血压患者为何要限盐？"',
    ),
    Row(
        "check",
        "assistant.commands.check:check",
        "Hold statements against a record: supported or not, why not, and where it says so.",
        "例 Examples: bedside check --record note.txt "
        "--statement 予低分子肝素5000IU皮下注射q12h。\n\n"
        "bedside check --record encounter.json --statements summary.txt --json\n\n"
        "bedside check --pairs pairs.jsonl --json",
    ),
    Row(
        "alerts",
        "assistant.alerts.command:alerts",
        "What the rules say of an encounter: allergies, doses, interactions, results, gaps.",
        "例 Example: bedside alerts encounter.json --moment discharge --json",
    ),
    Row(
        "purge",
        "assistant.commands.records:purge",
        "Delete a patient's requests, drafts and feedback text for good; the audit stays.",
        "Example: bedside purge --patient pat-0001",
    ),
    Row(
        "model",
        "assistant.commands.model:app",
        "Models: convert, inspect, try, add, pull, list, verify, remove, approve.",
    ),
    Row(
        "engine",
        "assistant.commands.engine:app",
        "Engines that run in a Python environment of their own.",
    ),
    Row(
        "imaging-release",
        "assistant.commands.imaging_release:app",
        "影像结果回填 whether results of imaging tasks may be filled in: on, off, list.",
    ),
    Row("kb", "assistant.commands.kb:app", "The knowledge base: build, show, search."),
    Row("data", "assistant.commands.data:app", "Training data: build. 训练数据"),
    Row(
        "train",
        "assistant.commands.train:app",
        "Training: language models, encoders, entities, segmentation "
        "(pip install 'bedside\\[train]').",
    ),
    Row(
        "federated",
        "assistant.commands.federated:app",
        "联邦训练 federated training: keys, server, site, lm (pip install 'bedside\\[train]').",
    ),
    Row(
        "dicom",
        "assistant.interop.dicom.command:app",
        "DICOM: take studies from the network, write results, de-identify.",
    ),
    Row(
        "fhir",
        "assistant.interop.fhir.command:app",
        "FHIR R4: read a Bundle, or a patient from the hospital's server.",
    ),
    Row(
        "hl7",
        "assistant.interop.hl7.command:app",
        "HL7 v2: listen for messages (MLLP), read one, send one.",
    ),
    Row(
        "sandbox",
        "assistant.sandbox.command:sandbox",
        "A small EMR with invented patients: fields, orders, users, FHIR store, message log.",
        "例 Example: bedside sandbox --bedside http://127.0.0.1:8000",
    ),
    Row(
        "records",
        "assistant.record_index.command:app",
        "病历搜索 search over records: load, search, grant.",
    ),
    Row("audit", "assistant.commands.records:audit", "The audit log: verify, list."),
    Row("feedback", "assistant.commands.records:feedback", "Feedback: export."),
    Row("key", "assistant.commands.records:key", "API keys: create, list, revoke."),
)


def commands() -> tuple[Row, ...]:
    """Our commands, those of the installed tasks, then the groups that packages mount."""
    of_tasks = (task_row(entry) for entry in sorted(entry_points(group="bedside.tasks")))
    mounts = map(mounted, entry_points(group="bedside.commands"))
    return (*COMMANDS, *(row for row in of_tasks if row is not None), *mounts)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"bedside {version('bedside')}")
        raise typer.Exit


def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """The options of ``bedside`` itself."""


app = lazy_app(
    commands,
    "Bedside: a private clinical assistant on the hospital's own CPUs. "
    "院内私有的临床助手，输出均为草稿，须经医师审核。",
    _options,
)


def main() -> None:
    """Run the command; an error that has a sentence for the user is that sentence."""
    quiet_libraries()
    try:
        app(obj=_installation)
    except TOMLDecodeError as error:
        file = os.environ.get("BEDSIDE_CONFIG", "bedside.toml")
        _complain(f"设置文件不是有效的 TOML: {file} is not valid TOML: {error}")
        raise SystemExit(2) from None
    except Exception as error:
        _explain(error)


def _explain(error: Exception) -> None:
    """Exit with the sentence of ``error``, if it is ours or of a setting; else raise it."""
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        for item in error.errors():
            place = ".".join(str(part) for part in item["loc"])
            said = item["msg"].removeprefix("Value error, ")
            _complain(f"设置有误 bad setting{' ' if place else ''}{place}: {said}")
        raise SystemExit(2) from None
    if type(error).__module__.split(".")[0] not in _OURS:
        raise error
    _complain(str(error))
    raise SystemExit(1) from None


def _installation() -> tuple[Path, Callable[[str], tuple[Engine, dict[str, str]]]]:
    """What mounted commands are told: the home folder, and what opens a configured engine.

    The settings are read only for a command that asks.
    """
    from assistant.engines import open_configured
    from assistant.settings import Settings

    return Settings().home, open_configured


def _complain(sentence: str) -> None:
    """In red and in one line; what stands in brackets is text, not markup."""
    from assistant.commands.progress import console

    console.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
