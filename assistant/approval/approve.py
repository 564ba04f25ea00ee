"""Approving a configured engine for clinical use on the record of a run, or refusing to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict

from assistant.approval import fingerprint
from assistant.approval.evidence import Evidence
from assistant.approval.fingerprint import Fingerprint
from assistant.approval.gate import Gate
from assistant.approval.model_files import NotIdentified, digest_of, model_folders
from assistant.settings import Settings
from assistant.store import Approval, Store
from assistant.work.registry import Registry


class ApprovalRefused(Exception):
    """This run cannot carry this approval; the message says everything that stands against it."""


def find_engine(settings: Settings, name: str) -> str:
    """The engine that ``name`` means: one of the settings, else the only one with that model.

    Raises:
        ApprovalRefused: there is none, or there are several.
    """
    if name in settings.engines:
        return name
    running = [key for key, chosen in settings.engines.items() if chosen.title == name]
    if len(running) == 1:
        return running[0]
    if running:
        raise ApprovalRefused(
            f"The engines {', '.join(sorted(running))} all run {name}; name one of them."
        )
    raise ApprovalRefused(
        f"No engine of the settings is called {name!r} or runs such a model; there are: "
        f"{', '.join(sorted(settings.engines))}."
    )


def configured(settings: Settings, engine: str) -> Fingerprint:
    """What the engine runs now; its files are hashed, which takes seconds for a large model.

    Raises:
        ApprovalRefused: it has no weights on this machine.
    """
    chosen = settings.engines[engine]
    try:
        folders = model_folders(chosen, settings.home)
        return fingerprint.of_engine(chosen, folders[0], digest_of(folders))
    except (NotIdentified, OSError) as error:
        raise ApprovalRefused(f"Engine {engine} cannot be approved: {error}.") from error


def approve(
    settings: Settings,
    store: Store,
    engine: str,
    run: Evidence,
    gates: Sequence[Gate],
    *,
    by: str,
    note: str = "",
    tasks: Registry | None = None,
) -> Approval:
    """Approve what ``engine`` runs now, with the prompts that it is given now.

    Raises:
        ApprovalRefused: the run is not complete, misses a gate, or is of something else.
    """
    against = []
    if settings.engines[engine].demo_only:
        against.append(f"engine {engine} is set to demo_only in the settings; take that out first")
    if not by.strip():
        against.append("an approval needs the name of who approves (--by)")
    if not gates:
        against.append("an approval needs at least one gate (--require overall>=60)")
    if run.problem:
        against.append(f"the run is not complete: {run.problem}")
    against += filter(None, (gate.unmet(run.scores) for gate in gates))
    runs = configured(settings, engine)
    against += _other_model(run, runs)
    against += _other_prompts(run, fingerprint.versions_in_use(settings, engine, tasks))
    if against:
        raise ApprovalRefused(f"{engine} is not approved: {'; '.join(against)}.")
    return store.approvals.approve(
        engine=engine,
        **asdict(runs),
        prompts=fingerprint.prompts_in_use(settings, engine, tasks),
        run=run.folder,
        evidence=run.model_dump(mode="json"),
        gate=", ".join(str(gate) for gate in gates),
        by=by,
        note=note,
    )


def _other_model(run: Evidence, runs: Fingerprint) -> list[str]:
    """What the run was made with, where that is not what the engine runs."""
    try:
        measured = fingerprint.of_run(run.model)
    except NotIdentified as error:
        return [str(error)]
    return [f"the run was made with another {text}" for text in measured.differences(runs)]


def _other_prompts(run: Evidence, in_use: Collection[str]) -> list[str]:
    """Prompts that the run was made with and that the engine is not given now as they were."""
    return [
        f"the run was made with the prompt {version}, which this engine is not given now"
        for version in run.prompts
        if version not in in_use
    ]
