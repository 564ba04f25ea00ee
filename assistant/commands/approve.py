"""``bedside model approve``, ``approvals``, ``revoke`` and ``reinstate``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.approval.gate import Gate, GateInvalid, parse_gate
from assistant.commands.progress import console
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.store import Approval, Store

EVALUATIONS = "evaluations"
"""Where runs lie in the home folder unless they were told to lie elsewhere."""


def approve(
    model: Annotated[
        str, typer.Argument(metavar="MODEL|ENGINE", help="An engine of the settings, or its model.")
    ],
    run: Annotated[
        Path, typer.Option(help="Folder of the recorded run, or its name in HOME/evaluations.")
    ],
    by: Annotated[str, typer.Option(help="Name of who approves; it stands in the audit.")],
    require: Annotated[
        list[str],
        typer.Option(
            metavar="NAME>=POINTS",
            help="What the run must reach: overall>=60, MedDG>=20. Repeatable.",
        ),
    ],
    note: Annotated[str, typer.Option(help="Such as the committee's decision.")] = "",
) -> None:
    """Approve a model, its precision and its prompts for clinical use, on a recorded run.

    批准一个引擎现在的模型、精度与提示词用于临床；三者任一改变，批准即不再适用。
    """
    from assistant.approval.approve import approve as give
    from assistant.approval.approve import find_engine
    from assistant.approval.evidence import read_evidence

    gates = [_gate(text) for text in require]
    settings = Settings()
    engine = find_engine(settings, model)
    evidence = read_evidence(_folder(run, settings.home))
    with _store(settings) as store:
        given = give(settings, store, engine, evidence, gates, by=by, note=note)
    console.print(
        f"已批准 approved: {given.engine} ({given.model}, {given.precision}, KV {given.kv_cache})\n"
        f"依据 run: {given.run}\n"
        f"撤销 to take it back: bedside model revoke {given.id} --by NAME --reason WHY",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def approvals() -> None:
    """Every approval, newest first, with who gave and who revoked it."""
    with _store(Settings()) as store:
        counting = {approval.id for approval in store.approvals.in_force()}
        rows = store.approvals.list(500)
    for row in rows:
        at = f"{row.created_at.astimezone():%Y-%m-%d %H:%M}"
        lines = (
            f"{row.id}  {_state(row, row.id in counting)}",
            f"  {row.engine}: {row.model}, {row.precision}, KV {row.kv_cache}",
            f"  {row.evidence.get('name', '')}: {row.gate}  ({row.approved_by}, {at})",
        )
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    if not rows:
        console.print("没有批准 no approvals; bedside model approve --help")


def revoke(
    approval: Annotated[str, typer.Argument(metavar="ID", help="As `bedside model approvals`.")],
    by: Annotated[str, typer.Option(help="Name of who revokes; it stands in the audit.")],
    reason: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """Take an approval back at once; what it covered shows 仅供演示 again."""
    with _store(Settings()) as store:
        taken = store.approvals.revoke(approval, by=by, reason=reason)
    console.print(f"已撤销 revoked: {taken.engine} ({taken.model})", markup=False, highlight=False)


def reinstate(
    approval: Annotated[str, typer.Argument(metavar="ID", help="As `bedside model approvals`.")],
    by: Annotated[str, typer.Option(help="Name of who gives it again; it stands in the audit.")],
    reason: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """Give an approval again that monitoring returned; its drafts are counted anew from now on."""
    with _store(Settings()) as store:
        given = store.approvals.reinstate(approval, by=by, reason=reason)
    console.print(
        f"已恢复 reinstated: {given.engine} ({given.model})", markup=False, highlight=False
    )


def _state(row: Approval, counts: bool) -> str:
    if row.revoked_at is not None:
        return f"已撤销 revoked by {row.revoked_by}: {row.revocation_reason}"
    if row.returned is not None:
        return f"已自动退回 returned: {row.returned.reason}"
    if not counts:
        return "无效 not as the audit has it"
    return row.problem or "有效 in force"


def _gate(text: str) -> Gate:
    try:
        return parse_gate(text)
    except GateInvalid as error:
        raise typer.BadParameter(str(error), param_hint="--require") from None


def _folder(run: Path, home: Path) -> Path:
    kept = home / EVALUATIONS / run
    return (kept if not run.is_dir() and kept.is_dir() else run).resolve()


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    from assistant.opening import open_store

    store = open_store(settings)
    try:
        yield store
    finally:
        store.close()
