"""An encounter's way to its report."""

from __future__ import annotations

import asyncio
from pathlib import Path

from assistant.tasks.record_qc.adjustments import adjusted, adjustments
from assistant.tasks.record_qc.chain import inspect
from assistant.tasks.record_qc.draft import QcReport
from assistant.tasks.record_qc.record import CheckedEncounter
from assistant.tasks.record_qc.rules import RulesInvalid, read_rules
from assistant.tasks.structuring.pipeline import Structurer
from assistant.work.resources import Resources
from assistant.work.task import Refused


async def checked(request: CheckedEncounter, resources: Resources) -> QcReport:
    """The report; it is computed in a thread of its own.

    Raises `Refused` where the hospital's rule set cannot be read.
    """
    return await asyncio.to_thread(check, request, resources)


def check(request: CheckedEncounter, resources: Resources) -> QcReport:
    """The same, in this thread."""
    structurer = resources.shared("record_qc.structurer", lexical_structurer)
    return inspected(request, structurer, resources.settings.home)


def lexical_structurer() -> Structurer:
    """With the lexicon alone: the checks were measured with it, and it is the same everywhere."""
    return Structurer(None)


def inspected(request: CheckedEncounter, structurer: Structurer, home: Path) -> QcReport:
    """The report by the rule set and the adjustments in the data directory.

    Raises `Refused` where the hospital's rule set cannot be read.
    """
    try:
        rules, lowered = adjusted(read_rules(home), adjustments(home), request.department)
    except RulesInvalid as error:
        raise Refused(str(error)) from error
    return inspect(request, structurer, rules).model_copy(update={"adjusted": lowered})
