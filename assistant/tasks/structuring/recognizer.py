"""Entities by a trained model: any text, of any length, to typed spans of the original."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.tasks.structuring import decoding
from assistant.tasks.structuring.decoding import LabelledSpan
from assistant.tasks.structuring.span import EntityType, TypedSpan
from serving.encoder.head import SpanScores
from serving.encoder.runtime import BertRuntime, Compute, ModelUnavailable, Placement
from serving.encoder.shape import SpanShape
from serving.encoder.vocabulary import Vocabulary
from serving.models import manifest

# What data sets call the types, without what stands before the stroke (cehrner/疾病和诊断).  Their
# other labels (a crowd, a department, a time) are no entity here.
LABELS: Mapping[str, EntityType] = {
    "疾病和诊断": EntityType.DISEASE,
    "解剖部位": EntityType.BODY_PART,
    "手术": EntityType.PROCEDURE,
    "药物": EntityType.DRUG,
    "实验室检验": EntityType.TEST,
    "影像检查": EntityType.IMAGING,
    "症状": EntityType.SYMPTOM,
    "disease": EntityType.DISEASE,
    "body": EntityType.BODY_PART,
    "symptom": EntityType.SYMPTOM,
    "treatment": EntityType.PROCEDURE,
    "drug": EntityType.DRUG,
    "test": EntityType.TEST,
    "dis": EntityType.DISEASE,
    "bod": EntityType.BODY_PART,
    "sym": EntityType.SYMPTOM,
    "pro": EntityType.PROCEDURE,
    "dru": EntityType.DRUG,
    "ite": EntityType.TEST,
    **{kind.value: kind for kind in EntityType},
}
_LINE_END = re.compile(r"[ \t]*[\r\n]\s*")
_NAMED = re.compile(r"[^\s\d.,，。]")
_BLANK_LINE = re.compile(r"[ \t\r]*\n[ \t\r]*\n\s*")
_WINDOW = 254
# Windows of a very long text that are held in memory at once.
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Which model found an entity."""

    name: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name}@{self.digest[:12]}"


class ModelRecognizer:
    """A `span.Recognizer` by a span model.  Safe to use from several threads."""

    def __init__(
        self, runtime: BertRuntime, above: float | None = None, prefer: Sequence[str] = ()
    ) -> None:
        """``above``: spans of at least this score are given; None: what the model was found best
        with.  ``prefer``: of a model that was trained on several data sets, those whose types
        count, best first (all, where empty)."""
        if runtime.span is None:
            raise ModelUnavailable(f"{runtime.folder} is an encoder without a span head.")
        self._runtime = runtime
        self._span: SpanShape = runtime.span
        self.above = runtime.span.above if above is None else above
        self._prefer = tuple(prefer)
        self._size = min(_WINDOW, runtime.longest)
        self._source = source_of(runtime.folder)

    @classmethod
    def open(
        cls,
        folder: Path,
        compute: Compute = "auto",
        placement: Placement | None = None,
        above: float | None = None,
        prefer: Sequence[str] = (),
        kept: Path | None = None,
    ) -> ModelRecognizer:
        """The converted model in ``folder``; ``kept``: as `BertRuntime` takes it.

        Raises:
            ModelUnavailable: it cannot be run here; the message says what to do.
            CheckpointError: its configuration or vocabulary is wrong; the message names the file.
        """
        return cls(BertRuntime(folder, compute, placement, kept), above, prefer)

    @property
    def folder(self) -> Path:
        """Where the model is."""
        return self._runtime.folder

    @property
    def name(self) -> str:
        """The model with the beginning of its weights' SHA-256."""
        return str(self._source)

    @property
    def vocabulary(self) -> Vocabulary:
        """What the model reads."""
        return self._runtime.vocabulary

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the model, as its training data name them."""
        return self._span.labels

    def labelled(self, text: str) -> list[LabelledSpan]:
        """Spans with the labels of the training data, by start, then the longer first."""
        return decoding.find(
            text,
            self._runtime.vocabulary,
            self._span.labels,
            self._scan,
            self._size,
            self._span.nested,
            decoding.logit(self.above),
        )

    def recognise(self, text: str) -> list[TypedSpan]:
        """Spans with the types of the product; see `span.Recognizer`."""
        best: dict[tuple[int, int, EntityType], float] = {}
        for span in self._chosen(self.labelled(text)):
            kind = LABELS.get(span.label.rpartition("/")[2])
            if kind is None:
                continue
            gap = _LINE_END if kind is EntityType.TEST else _BLANK_LINE
            for start, end in _parts(text, span.start, span.end, gap):
                best[start, end, kind] = max(span.score, best.get((start, end, kind), 0.0))
        found = [TypedSpan(start, end, kind, score) for (start, end, kind), score in best.items()]
        return sorted(found, key=lambda span: (span.start, -span.end, span.type.value))

    def _chosen(self, spans: Sequence[LabelledSpan]) -> Sequence[LabelledSpan]:
        """Spans of the data sets that count; a later set adds where an earlier found nothing."""
        if not self._prefer:
            return spans
        kept: list[LabelledSpan] = []
        taken: set[int] = set()
        for source in self._prefer:
            fresh = [
                span
                for span in spans
                if span.label.startswith(f"{source}/")
                and taken.isdisjoint(range(span.start, span.end))
            ]
            kept += fresh
            taken.update(place for span in fresh for place in range(span.start, span.end))
        return kept

    def _scan(self, rows: Sequence[Sequence[int]]) -> Iterator[tuple[int, SpanScores]]:
        for start in range(0, len(rows), _AT_ONCE):
            for index, scores in self._runtime.spans(rows[start : start + _AT_ONCE]):
                yield start + index, scores


def _parts(text: str, start: int, end: int, between: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """The range without the blank lines in it: a term may break off at a line's end (高血↵压), but
    what stands beyond a blank line is another, and a laboratory prints a test a line."""
    for gap in between.finditer(text, start, end):
        if _NAMED.search(text, start, gap.start()):
            yield start, gap.start()
        start = gap.end()
    if _NAMED.search(text, start, end):
        yield start, end


def source_of(folder: Path) -> ModelSource:
    """The model in ``folder``, by its manifest where it has one."""
    path = folder / manifest.FILE_NAME
    if not path.is_file():
        return ModelSource(folder.name, manifest.sha256_of(folder / manifest.WEIGHTS_FILE))
    described = manifest.parse(path)
    return ModelSource(described.name, described.files.get(manifest.WEIGHTS_FILE, ""))
