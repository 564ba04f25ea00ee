"""A knowledge base on disk: graph, passages, finding extraction and diagnosis coding together."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from knowledge.clinical.base import FILE as CLINICAL
from knowledge.clinical.base import ClinicalBase
from knowledge.coding.coding import Code, Coder
from knowledge.disease import Disease
from knowledge.graph import Graph
from knowledge.layout import CURRENT, FORMAT, MANIFEST, Progress, no_progress
from knowledge.ranking.ranking import Incidence
from knowledge.rare.base import RareBase
from knowledge.retrieval.index import Described, PassageIndex
from knowledge.sources.clinical import passage_id
from knowledge.sources.fact import KnowledgeSource
from knowledge.sources.icd10 import MORPHOLOGY
from knowledge.text.extraction import FindingExtractor
from knowledge.text.folding import fold
from knowledge.text.lexicon import Lexicon
from knowledge.text.synonyms import TermKind, load_synonyms
from knowledge.vectors import WAITING, are_waited_for
from serving.encoder.text_encoder import Encoder

_log = logging.getLogger("bedside.knowledge.base")

Retrieval = Literal["hybrid", "lexical"]
_TELLING, _DESCRIBED = 2, 8
"""From how many findings on a query describes a disease, and how many it may mean."""

WAITS = "Vectors of the passages are still to be made; search is lexical only until then."


class KnowledgeMissing(Exception):
    """There is no usable knowledge base; the message says how to get one."""


@dataclass(frozen=True)
class SourceInfo:
    """A source of a base with the number of facts and passages that it gave."""

    name: str
    version: str
    licence: str
    facts: int
    passages: int


class KnowledgeBase:
    """An opened base.  Safe to use from several threads."""

    def __init__(self, folder: Path, manifest: dict[str, Any], encoder: Encoder | None) -> None:
        """Use `open` or `build` instead."""
        self.folder = folder
        self.version: str = manifest["version"]
        self.sources = [SourceInfo(**entry) for entry in manifest["sources"]]
        self._encoder = encoder
        self.notice = _notice(manifest, encoder)
        self.graph = _read_graph(folder)
        self.index = PassageIndex(folder, None if self.notice else encoder, self.graph.names)
        self.index.describes = self._described
        self.extractor = FindingExtractor(_read_lexicon(folder))

    @cached_property
    def codes(self) -> list[Code]:
        """The codes of the tables of the base, in their order, morphology of tumours included."""
        return [Code(*entry) for entry in _read_json(self.folder / "codes.json")]

    @cached_property
    def coder(self) -> Coder:
        """Diagnosis coding over the tables of the base."""
        return Coder(code for code in self.codes if not MORPHOLOGY.fullmatch(code.code))

    @cached_property
    def clinical(self) -> ClinicalBase:
        """The curated entries; none in a base that was built without them."""
        return ClinicalBase.read(self.folder / CLINICAL)

    @cached_property
    def rare(self) -> RareBase | None:
        """The rare diseases; None in a base that was built without them."""
        return RareBase.open(self.folder)

    def _described(self, query: str) -> Described:
        """The diseases that a query describes by several findings."""
        if not self.clinical.entries:
            return Described()
        case = self.clinical.evidence({"query": query})
        if len(case.present) < _TELLING:
            return Described()
        candidates = self.clinical.differential(case).candidates(_DESCRIBED)
        return Described(
            tuple(passage_id(candidate.entry) for candidate in candidates),
            frozenset(fold(case.spans[name].text) for name in case.present if name in case.spans),
        )

    @property
    def retrieval(self) -> Retrieval:
        """How passages are found; when lexical, ``notice`` says why."""
        return "hybrid" if self.index.is_hybrid else "lexical"

    @property
    def waits_for_vectors(self) -> bool:
        """Whether vectors that this base's encoder could use are still to be made."""
        return self.notice == WAITS

    def take_vectors(self) -> bool:
        """Search by meaning too from now on, if the vectors have come meanwhile.

        A search that is under way ends as it began.
        """
        if self.waits_for_vectors and not are_waited_for(self.folder):
            if self._encoder is not None:
                self.index.use_vectors(self._encoder)
            self.notice = None
        return not self.waits_for_vectors

    @classmethod
    def open(cls, folder: Path, encoder: Encoder | None = None) -> KnowledgeBase:
        """Open the current base under ``folder``.

        Without an encoder, or with another one than the base was built with, retrieval is lexical
        only and ``notice`` says so.

        Raises:
            KnowledgeMissing: there is no base, or it is damaged or of another format.
        """
        base = cls._opened(Path(folder), encoder)
        if base.notice and encoder is not None and not base.waits_for_vectors:
            _log.warning("%s", base.notice)
        return base

    @classmethod
    def _opened(cls, folder: Path, encoder: Encoder | None) -> KnowledgeBase:
        current, manifest = _current(folder)
        try:
            return cls(current, manifest, encoder)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise KnowledgeMissing(_damaged(folder, error)) from error

    @classmethod
    def is_built(cls, folder: Path) -> bool:
        """Whether a whole base that this version reads stands under ``folder``."""
        try:
            cls._opened(Path(folder), None).close()
        except KnowledgeMissing:
            return False
        return True

    @classmethod
    def build(
        cls,
        sources: Sequence[KnowledgeSource],
        folder: Path,
        encoder: Encoder | None = None,
        progress: Progress = no_progress,
        *,
        vectors: bool = True,
    ) -> KnowledgeBase:
        """Build a base from ``sources`` (see `knowledge.build.build`) and open it."""
        from knowledge.build import build

        build(sources, Path(folder), encoder, progress, vectors=vectors)
        return cls.open(folder, encoder)

    def close(self) -> None:
        """Release the files of the passage index."""
        # The index would hold the base, and both their files until the next full collection.
        self.index.describes = None
        self.index.close()


def open_lexicon(folder: Path) -> Lexicon:
    """The terms of the current base under ``folder``, without the rest of it.

    Raises:
        KnowledgeMissing: there is no base, or it is damaged or of another format.
    """
    current, _ = _current(Path(folder))
    try:
        return _read_lexicon(current)
    except (OSError, ValueError, TypeError) as error:
        raise KnowledgeMissing(_damaged(folder, error)) from error


def _current(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The folder and the manifest of the current base.  Raises `KnowledgeMissing`."""
    try:
        version = (folder / CURRENT).read_text(encoding="utf-8").strip()
        manifest = _read_json(folder / version / MANIFEST)
    except FileNotFoundError as error:
        raise KnowledgeMissing(
            f"There is no knowledge base in {folder}. Build one with: bedside kb build"
        ) from error
    except (OSError, ValueError) as error:
        raise KnowledgeMissing(_damaged(folder, error)) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise KnowledgeMissing(
            f"The knowledge base in {folder} has another format than this version of Bedside "
            "reads. Build it again with: bedside kb build"
        )
    return folder / version, manifest


def _damaged(folder: Path, error: Exception) -> str:
    return (
        f"The knowledge base in {folder} is damaged ({type(error).__name__}: {error}). "
        "Build it again with: bedside kb build"
    )


def _notice(manifest: dict[str, Any], encoder: Encoder | None) -> str | None:
    """Why search is lexical only, or None when it is hybrid."""
    built_with = manifest["encoder"]
    if built_with is None:
        return "The knowledge base was built without an encoder; search is lexical only."
    if encoder is None:
        return "No encoder is available; knowledge search is lexical only."
    if (encoder.name, encoder.version) != (built_with["name"], built_with["version"]):
        return (
            f"The knowledge base was built with the encoder {built_with['version']}, not "
            f"{encoder.version}; search is lexical only until it is built again."
        )
    return WAITS if manifest.get(WAITING) else None


def _read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _read_graph(folder: Path) -> Graph:
    diseases = [Disease.from_record(record) for record in _read_json(folder / "diseases.json")]
    starts, rows, trust, popularity = (
        np.load(folder / f"{name}.npy", mmap_mode="r")
        for name in ("incidence_starts", "incidence_diseases", "incidence_trust", "popularity")
    )
    return Graph(
        diseases=diseases,
        concepts=_read_json(folder / "concepts.json"),
        incidence=Incidence(starts, rows, trust, len(diseases)),
        popularity=popularity,
        table=load_synonyms(),
    )


def _read_lexicon(folder: Path) -> Lexicon:
    lexicon = Lexicon()
    lexicon.add_synonyms(load_synonyms())
    for term, concept, kind in _read_json(folder / "terms.json"):
        lexicon.add(term, concept, TermKind(kind))
    return lexicon
