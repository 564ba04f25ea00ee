"""What ``bedside doctor`` says of structuring."""

from __future__ import annotations

from assistant.commands.processor import Check
from assistant.settings import Settings
from assistant.tasks.structuring.opening import (
    MODEL,
    RELATIONS,
    open_ranker,
    open_recognizer,
    open_relation_reader,
)


def checks(settings: Settings) -> list[Check]:
    """What notes are structured with; a folder of one's own that cannot be run is named."""
    found = []
    for label, folder, opened, otherwise in (
        ("entities", MODEL, open_recognizer(settings.home), "lexicon"),
        ("relations", RELATIONS, open_relation_reader(settings.home), "rules"),
    ):
        own = settings.home / "models" / folder
        used = opened is not None and opened.folder == own
        advice = ""
        if own.is_dir() and not used:
            advice = f"{own} 无法使用，见日志。It cannot be used; the log says why."
        name = f"{opened.name} and {otherwise}" if opened is not None else otherwise
        found.append(Check(label, name, advice))
    ranker = open_ranker(settings.home)
    coding = "trained ranker" if ranker else "as shipped; better with `bedside kb train-coding`"
    return [*found, Check("coding", coding)]
