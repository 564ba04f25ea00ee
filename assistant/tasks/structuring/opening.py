"""What an installation structures notes with: its knowledge base, its models, else the lexicon."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from assistant.tasks.structuring.entity import Coding
from assistant.tasks.structuring.findings import EntityFindings
from assistant.tasks.structuring.pipeline import Structurer
from assistant.tasks.structuring.recognizer import ModelRecognizer
from assistant.tasks.structuring.relation_model import ModelRelationReader
from knowledge.base import KnowledgeBase
from knowledge.coding.coding import Code
from knowledge.coding.normalization import RANKER, Normalizer, Ranker, RankerError
from knowledge.text.extraction import FindingReader
from serving.encoder.runtime import Placement

logger = logging.getLogger("bedside.assistant.structuring")

_SURE, _SURE_UNTRAINED = 0.5, 0.7
"""A code that is less sure is none: it misleads more than it helps.  Without a ranker, of terms
that score 0.5 to 0.7 a third is right (CHIP-CDN)."""

MODEL = "structuring"
"""The folder under ``models`` of the span model that is taken, if there is one."""

RELATIONS = "relations"
"""The same for the relation model."""

MEASURED = "measured-encoders.json"
"""The file in which is kept what was quicker for which encoder on which processor."""


def open_structurer(
    base: KnowledgeBase | None,
    home: Path,
    recognizer: ModelRecognizer | None,
    threads: int = 0,
) -> Structurer:
    """The structurer of the installation in ``home`` with the span model of `open_recognizer`.

    ``threads``: of its relation model, if it has one; 0 for one a core.
    """
    reader = open_relation_reader(home, threads)
    return Structurer(base, recognizer, _normaliser(base, home), reader)


def open_findings(base: KnowledgeBase, recognizer: ModelRecognizer | None) -> FindingReader:
    """What reads the findings of a case: the base's lexicon, with the span model where there is
    one."""
    return base.extractor if recognizer is None else EntityFindings(base.extractor, recognizer)


def open_recognizer(home: Path, threads: int = 0) -> ModelRecognizer | None:
    """The trained span model in ``<home>/models/structuring``, else the one that is shipped.

    ``threads``: it computes with; 0: one a core.  None where neither can be run; what cannot is
    said in the log.
    """
    for folder in (home / "models" / MODEL, shipped_model()):
        if folder.is_dir():
            try:
                return ModelRecognizer.open(
                    folder, placement=Placement(threads=threads), kept=home / MEASURED
                )
            except Exception as error:
                logger.error("the structuring model in %s is not used: %s", folder, _why(error))
    return None


def _why(error: Exception) -> str:
    """Our own errors name the file and what is wrong in it, and have read no note."""
    ours = type(error).__module__.split(".")[0] in ("serving", "assistant")
    return str(error) if ours else type(error).__name__


def shipped_model() -> Path:
    """The folder of the model that the package brings; its card tells what it was trained on."""
    return Path(str(files("assistant.tasks.structuring") / "model"))


def open_relation_reader(home: Path, threads: int = 0) -> ModelRelationReader | None:
    """The trained relation model in ``<home>/models/relations``; None where there is none."""
    folder = home / "models" / RELATIONS
    if not folder.is_dir():
        return None
    try:
        return ModelRelationReader.open(
            folder, placement=Placement(threads=threads), kept=home / MEASURED
        )
    except Exception as error:
        logger.error("the relation model in %s is not used: %s", folder, _why(error))
        return None


def open_ranker(home: Path) -> Ranker | None:
    """The ranker that `bedside kb train-coding` wrote; None without one.

    One that cannot be read is said in the log and not used.
    """
    try:
        return Ranker.load(home / "knowledge" / RANKER)
    except FileNotFoundError:
        return None
    except RankerError as error:
        logger.error("%s", error)
        return None


def standard_terms(codes: Sequence[Code]) -> list[Code]:
    """Those of one table, the largest: terms of several tables would be mixed otherwise."""
    system = Counter(code.system for code in codes).most_common(1)[0][0]
    return [code for code in codes if code.system == system]


def _normaliser(base: KnowledgeBase | None, home: Path) -> Callable[[str], list[Coding]] | None:
    codes = base.codes if base is not None else []
    if not codes:
        return None
    ranker = open_ranker(home)
    normalizer = Normalizer(standard_terms(codes), ranker)
    sure = _SURE_UNTRAINED if ranker is None else _SURE

    def normalise(diagnosis: str) -> list[Coding]:
        return [
            Coding(system=term.system, code=term.code, name=term.name, score=term.score)
            for term in normalizer.terms(diagnosis)
            if term.score >= sure
        ]

    return normalise
