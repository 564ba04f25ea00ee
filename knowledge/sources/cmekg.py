"""CMeKG, the Chinese Medical Knowledge Graph, as the Python package PyCMeKG ships it.

The package's data file is a pickle.  It is read with an unpickler that refuses every class and
function, so that only containers, strings and numbers can come out; the package itself is never
imported.
"""

from __future__ import annotations

import pickle
import tarfile
import zipfile
from collections.abc import Iterator
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, NoReturn

import yaml

from knowledge.sources.fact import Fact, Passage, Relation, Source, SourceError, file_digest

_MEMBER = "pyCMeKG/model/cmekg.pkl"
_MAX_BYTES = 400_000_000


class _PlainUnpickler(pickle.Unpickler):
    """Loads dicts, lists, tuples, sets, strings and numbers; refuses everything else."""

    def find_class(self, module_name: str, global_name: str, /) -> NoReturn:
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is not plain data")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError("persistent objects are not plain data")


def predicate_relations() -> dict[str, dict[str, Relation]]:
    """The checked predicates, by kind of subject (disease, drug)."""
    text = (files("knowledge") / "data" / "predicates.yaml").read_text(encoding="utf-8")
    return {
        kind: {predicate: Relation(name) for predicate, name in table.items()}
        for kind, table in yaml.safe_load(text).items()
    }


class CMeKG:
    """Reads the source archive (.tar.gz), a wheel (.whl, .zip), or the bare data file (.pkl)."""

    def __init__(self, path: Path) -> None:
        self._path = Path(path)

    @cached_property
    def source(self) -> Source:
        """Provenance; the version holds the beginning of the file's SHA-256."""
        return Source("CMeKG", f"PyCMeKG-{file_digest([self._path])[:12]}", "MIT (as declared)")

    def triples(self) -> Iterator[tuple[str, str, str]]:
        """Every (subject, predicate, object) of the file, checked or not.

        Raises:
            SourceError: the file is missing, damaged, or holds anything but plain data.
        """
        for subject, predicates in self._load().items():
            if not isinstance(subject, str) or not isinstance(predicates, dict):
                raise SourceError(f"{self._path.name} does not have the shape of CMeKG.")
            for predicate, objects in predicates.items():
                for value in [objects] if isinstance(objects, str) else objects:
                    yield subject.strip(), str(predicate).strip(), str(value).strip()

    def facts(self) -> Iterator[Fact]:
        """The facts whose predicate is in the checked list."""
        tables = predicate_relations()
        for subject, predicates in _grouped(self.triples()):
            table = tables["drug"] if _is_drug(predicates) else tables["disease"]
            for predicate, objects in predicates.items():
                relation = table.get(predicate)
                if relation is not None:
                    key = f"{subject}/{predicate}"
                    for value in objects:
                        yield Fact(subject, relation, value, self.source, key)

    def passages(self) -> Iterator[Passage]:
        """None: CMeKG has facts only."""
        return iter(())

    def _load(self) -> dict[Any, Any]:
        try:
            with self._open() as file:
                data = _PlainUnpickler(file).load()
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read: {error}.") from error
        except (pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError) as error:
            raise SourceError(f"{self._path.name} is not a CMeKG data file: {error}.") from error
        except (tarfile.TarError, zipfile.BadZipFile) as error:
            raise SourceError(f"{self._path.name} is a damaged archive: {error}.") from error
        if not isinstance(data, dict):
            raise SourceError(f"{self._path.name} does not have the shape of CMeKG.")
        return data

    def _open(self) -> IO[bytes]:
        name = self._path.name
        if name.endswith((".tar.gz", ".tgz")):
            archive = tarfile.open(self._path)  # noqa: SIM115 - lives as long as the member
            for member in archive:
                if member.name.endswith(_MEMBER) and member.size <= _MAX_BYTES:
                    file = archive.extractfile(member)
                    if file is not None:
                        return file
            raise SourceError(f"{name} holds no {_MEMBER}.")
        if name.endswith((".whl", ".zip")):
            package = zipfile.ZipFile(self._path)
            for entry in package.infolist():
                if entry.filename.endswith(_MEMBER) and entry.file_size <= _MAX_BYTES:
                    return package.open(entry)
            raise SourceError(f"{name} holds no {_MEMBER}.")
        return self._path.open("rb")


_DRUG_PREDICATES = frozenset(
    {
        "成份", "适应症", "OTC类型", "药品监管分级", "性味", "主治", "功能主治", "用法用量", "界",
        "通用名", "商品名",
    }
)  # fmt: skip


def _is_drug(predicates: dict[str, list[str]]) -> bool:
    return not _DRUG_PREDICATES.isdisjoint(predicates)


def _grouped(
    triples: Iterator[tuple[str, str, str]],
) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Triples that follow one another with the same subject, as one mapping."""
    current: str | None = None
    predicates: dict[str, list[str]] = {}
    for subject, predicate, value in triples:
        if subject != current:
            if current is not None:
                yield current, predicates
            current, predicates = subject, {}
        if value:
            predicates.setdefault(predicate, []).append(value)
    if current is not None:
        yield current, predicates
