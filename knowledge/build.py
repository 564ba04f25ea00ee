"""Sources → a folder that `knowledge.base` opens."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.clinical.base import FILE as CLINICAL
from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.vocabulary import read_vocabulary
from knowledge.graph_builder import GraphData, build_graph, group_by_subject
from knowledge.layout import CURRENT, EMBEDDINGS, FORMAT, MANIFEST, Progress, no_progress
from knowledge.ranking.ranking import Incidence
from knowledge.rare.source import RareDiseases
from knowledge.retrieval.index import write_index
from knowledge.retrieval.passages import disease_passages, drug_passages
from knowledge.sources.clinical import ClinicalEntries
from knowledge.sources.fact import Fact, KnowledgeSource, Passage, Relation, Source
from knowledge.sources.icd10 import CODE
from knowledge.text.synonyms import load_synonyms
from knowledge.vectors import WAITING, add_vectors
from serving.encoder.text_encoder import Encoder

_log = logging.getLogger("bedside.knowledge.build")

_DATA_FILES = ("critical_diseases.yaml", "synonyms.tsv", "predicates.yaml", "not_findings.txt")
_CODE_FILES = (
    "build.py",
    "clinical/customary.py",
    "clinical/customary.tsv",
    "families.py",
    "text/folding.py",
    "graph_builder.py",
    "retrieval/index.py",
    "retrieval/lexical.py",
    "sources/clinical.py",
    "text/drugs.py",
    "text/lexicon.py",
    "text/data/traditional.tsv",
    "retrieval/passages.py",
    "vocabulary.py",
)


def build_version(sources: Sequence[KnowledgeSource], encoder: Encoder | None) -> str:
    """What the base built from these is called: it changes with content, code or encoder."""
    digest = hashlib.sha256(f"format {FORMAT}".encode())
    package = files("knowledge")
    for name in _DATA_FILES:
        digest.update((package / "data" / name).read_bytes())
    for name in _CODE_FILES:
        digest.update((package / name).read_bytes())
    for source in sources:
        digest.update(f"\0{source.source.name}\0{source.source.version}".encode())
    digest.update(f"\0{encoder.name} {encoder.version}".encode() if encoder else b"\0none")
    return digest.hexdigest()[:16]


def build(
    sources: Sequence[KnowledgeSource],
    folder: Path,
    encoder: Encoder | None = None,
    progress: Progress = no_progress,
    *,
    vectors: bool = True,
) -> Path:
    """Build a base under ``folder`` and make it the current one; the base's own folder.

    When the same base is already there nothing is done but pointing at it, and adding its vectors
    where it waits for them.  The new base appears whole or not at all: it is written beside and
    renamed.  Without ``vectors`` it searches by words until they are added.

    Raises:
        SourceError: a source cannot be read.
        ValueError: there are no sources.
    """
    if not sources:
        raise ValueError("A knowledge base needs at least one source.")
    folder.mkdir(parents=True, exist_ok=True)
    version = build_version(sources, encoder)
    target = folder / version
    with _locked(folder):
        if not (target / MANIFEST).exists():
            partial = folder / f"{version}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            _write(sources, partial, encoder, version, progress)
            if vectors and encoder is not None:
                _embed(partial, encoder, folder, progress)
            partial.rename(target)
        elif vectors and encoder is not None:
            _embed(target, encoder, folder, progress)
        _point(folder, version)
        _remove_others(folder, version)
    return target


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep two builds in one folder apart."""
    with (folder / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _point(folder: Path, version: str) -> None:
    pointer = folder / f"{CURRENT}.new"
    pointer.write_text(version, encoding="utf-8")
    os.replace(pointer, folder / CURRENT)


def _remove_others(folder: Path, version: str) -> None:
    for other in folder.iterdir():
        if other.is_dir() and other.name != version and _is_ours(other.name):
            shutil.rmtree(other, ignore_errors=True)


def _is_ours(name: str) -> bool:
    stem = name.removesuffix(".partial")
    return len(stem) == 16 and all(character in "0123456789abcdef" for character in stem)


def _embed(base: Path, encoder: Encoder, folder: Path, progress: Progress) -> None:
    add_vectors(
        base, encoder, folder / EMBEDDINGS, lambda done, total: progress("embed", done, total)
    )


def _write(
    sources: Sequence[KnowledgeSource],
    partial: Path,
    encoder: Encoder | None,
    version: str,
    progress: Progress,
) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    codes: dict[tuple[str, str, str], None] = {}
    facts = _counted(_facts(sources, progress), counts, codes)
    subjects = group_by_subject(facts)
    progress("graph", 0, 1)
    data = build_graph(subjects, load_synonyms())
    _write_graph(data, partial)
    _write_clinical(sources, partial)
    _write_rare(sources, partial, counts)
    progress("graph", 1, 1)
    by_name = {source.source.name: source.source for source in sources}
    passages = _passages(sources, data, subjects, by_name, counts)
    progress("index", 0, 1)
    write_index(passages, partial)
    progress("index", 1, 1)
    _write_json(partial / "codes.json", list(codes))
    _write_json(
        partial / MANIFEST,
        {
            "format": FORMAT,
            "version": version,
            "encoder": {"name": encoder.name, "version": encoder.version} if encoder else None,
            WAITING: encoder is not None,
            "diseases": len(data.diseases),
            "concepts": len(data.concepts),
            "passages": len(passages),
            "sources": [_source_entry(s.source, counts) for s in sources],
        },
    )


def _source_entry(source: Source, counts: Counter[tuple[str, str]]) -> dict[str, Any]:
    return {
        "name": source.name,
        "version": source.version,
        "licence": source.licence,
        "facts": counts[source.name, "facts"],
        "passages": counts[source.name, "passages"],
    }


def _facts(sources: Sequence[KnowledgeSource], progress: Progress) -> Iterator[Fact]:
    for number, source in enumerate(sources):
        progress("read", number, len(sources))
        yield from source.facts()
    progress("read", len(sources), len(sources))


def _counted(
    facts: Iterable[Fact],
    counts: Counter[tuple[str, str]],
    codes: dict[tuple[str, str, str], None],
) -> Iterator[Fact]:
    """The facts, while counting them and gathering the codes that they give."""
    for fact in facts:
        counts[fact.source.name, "facts"] += 1
        is_code = fact.relation is Relation.ICD10 and CODE.fullmatch(fact.object)
        if is_code or fact.relation is Relation.CODE_NAME:
            codes[fact.object, fact.subject, fact.source.name] = None
        yield fact


def _passages(
    sources: Sequence[KnowledgeSource],
    data: GraphData,
    subjects: dict[str, Any],
    by_name: dict[str, Source],
    counts: Counter[tuple[str, str]],
) -> list[Passage]:
    passages = [
        *disease_passages(data.diseases, by_name),
        *drug_passages(subjects, by_name),
        *(passage for source in sources for passage in source.passages()),
    ]
    for passage in passages:
        for name in passage.source.split("、"):
            # 临床知识库（未经临床审阅）: the source and what is to be known of it.
            counts[name.split("（")[0], "passages"] += 1
    return passages


def _write_graph(data: GraphData, partial: Path) -> None:
    incidence = Incidence.from_rows(data.weights, len(data.concepts))
    np.save(partial / "incidence_starts.npy", incidence.starts)
    np.save(partial / "incidence_diseases.npy", incidence.diseases)
    np.save(partial / "incidence_trust.npy", incidence.trust)
    np.save(partial / "popularity.npy", np.array(data.popularity, np.float32))
    _write_json(partial / "diseases.json", [disease.as_record() for disease in data.diseases])
    _write_json(partial / "concepts.json", data.concepts)
    _write_json(partial / "terms.json", [[t, c, k] for t, (c, k) in data.terms.items()])


def _write_clinical(sources: Sequence[KnowledgeSource], partial: Path) -> None:
    """Keep the curated entries with the vocabulary that they are told in."""
    for source in sources:
        if isinstance(source, ClinicalEntries):
            known = read_vocabulary(source.folders)
            ClinicalBase(source.entries, known).write(partial / CLINICAL)


def _write_rare(
    sources: Sequence[KnowledgeSource], partial: Path, counts: Counter[tuple[str, str]]
) -> None:
    """Keep the table of rare diseases; its annotations are counted as facts of its source.

    It reads in the words of the curated entries, those that ship where the base has none.
    """
    for source in sources:
        if isinstance(source, RareDiseases):
            curated = next((s for s in sources if isinstance(s, ClinicalEntries)), None)
            words = curated or ClinicalEntries()
            table = source.table(read_vocabulary(words.folders), words.entries)
            table.write(partial)
            counts[source.source.name, "facts"] = int(table.own.sum())


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
