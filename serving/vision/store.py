"""Image models on disk: ``<home>/vision/<name>/``, copied there whole, with each file's hash."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files as resources
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from serving.models import manifest, mirrors
from serving.models.catalog import Entry, FolderMirror, HubMirror
from serving.models.manifest import Manifest
from serving.vision import description, folder
from serving.vision.description import Description
from serving.vision.folder import Opened
from serving.vision.problem import VisionProblem

Report = Callable[[int, int, str], None]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Place(_Strict):
    repository: str
    revision: str
    folder: str


class _File(_Strict):
    file: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    sha256: Hash
    bytes: int


class Offer(_Strict):
    """A model of the catalogue."""

    name: str
    upstream: str
    title_zh: str
    title: str
    mirror: _Place
    files: tuple[_File, ...]
    description: Description


@dataclass(frozen=True, slots=True)
class Held:
    """A line of `VisionStore.list`."""

    name: str
    ready: bool
    title_zh: str = ""
    title: str = ""
    licence: str = ""


def catalogue() -> dict[str, Offer]:
    """What can be had, by name."""
    plain = yaml.safe_load(resources("serving.vision").joinpath("catalog.yaml").read_text("utf-8"))
    offers = [Offer.model_validate(one) for one in plain["models"]]
    return {one.name: one for one in offers}


class VisionStore:
    """The image models of one data home."""

    def __init__(self, home: Path) -> None:
        """``home`` need not exist yet."""
        self._home = home
        self._models = home / "vision"

    def list(self) -> list[Held]:
        """Every model of the catalogue and of the folder, by name."""
        offers = catalogue()
        held = set()
        if self._models.is_dir():
            held = {one.name for one in self._models.iterdir() if one.name[0] != "."}
        found = []
        for name in sorted(held | set(offers)):
            offer = offers.get(name)
            if offer is not None:
                said = offer.title_zh, offer.title, offer.description.licence
            else:
                said = "", "", self._licence(name)
            found.append(Held(name, name in held, *said))
        return found

    def names(self, task: str) -> tuple[str, ...]:
        """The models that are here and are for ``task``."""
        found = []
        for one in self.list():
            if one.ready:
                try:
                    said = description.read(self._path(one.name) / description.FILE_NAME)
                except VisionProblem:
                    continue
                found += [one.name] if said.task == task else []
        return tuple(found)

    def holds(self, name: str) -> bool:
        """Whether a model of that name is there or can be had."""
        return name in catalogue() or (bool(_NAME.match(name)) and self._path(name).is_dir())

    def add(self, name: str, source: Path) -> Opened:
        """Copy a model's folder, after it was opened and found to fit.

        Raises:
            VisionProblem: it does not fit, or there is a model of that name.
        """
        if not _NAME.match(name):
            raise VisionProblem(
                "模型名只能含字母、数字、点、下划线和连字符。",
                "A model's name has letters, digits, dots, underscores and hyphens only.",
            )
        if self._path(name).exists() or name in catalogue():
            raise VisionProblem(
                f"已有名为 {name} 的模型，请换一个名称。", f"There is a model {name} already."
            )
        opened = folder.open_folder(source)
        self._keep(name, folder.files(source), opened.description)
        return self.open(name)

    def pull(self, name: str, report: Report | None = None) -> Path:
        """Fetch a model of the catalogue unless it is there; returns its folder.

        Raises:
            VisionProblem: the catalogue has none of that name.
            mirrors.ModelUnavailable: no mirror has its files.
        """
        if self._path(name).is_dir():
            return self._path(name)
        offer = catalogue().get(name)
        if offer is None:
            raise self._unknown(name)
        downloads = self._home / "downloads" / name
        tell = report or (lambda done, total, what: None)
        fetched = [mirrors.fetch(_entry(offer, one), downloads, tell) for one in offer.files]
        self._keep(name, fetched, offer.description)
        shutil.rmtree(downloads, ignore_errors=True)
        return self._path(name)

    def open(self, name: str) -> Opened:
        """A model by its name, its files checked against their hashes.

        Raises:
            VisionProblem: there is none, or a file has changed.
        """
        path = self._path(name) if _NAME.match(name) else None
        if path is None or not path.is_dir():
            raise self._unknown(name)
        if bad := self.verify(name):
            raise VisionProblem(
                f"模型 {name} 的文件 {'、'.join(bad)} 缺失或已改变，请删除后重新登记。",
                f"Files of the model {name} are missing or changed; remove it and add it again.",
            )
        return folder.open_folder(path)

    def verify(self, name: str) -> tuple[str, ...]:
        """Names of files that are missing or differ from when the model was put here."""
        path = self._path(name)
        try:
            expected = manifest.parse(path / manifest.FILE_NAME).files
        except manifest.ModelInvalid:
            return (manifest.FILE_NAME,)
        return tuple(
            file
            for file, digest in expected.items()
            if not (path / file).is_file() or manifest.sha256_of(path / file) != digest
        )

    def renew(self, name: str) -> None:
        """Take down the files of a model anew, after it was opened by `open` and added to."""
        path = self._path(name)
        held = manifest.parse(path / manifest.FILE_NAME)
        files = {one.name: manifest.sha256_of(one) for one in folder.files(path)}
        replace(held, files=files).write(path)

    def remove(self, name: str) -> None:
        """Delete a model's folder."""
        shutil.rmtree(self._path(name), ignore_errors=True)

    def _keep(self, name: str, sources: Any, said: Description) -> None:
        made = self._models / f".{name}.new"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        for source in sources:
            shutil.copyfile(source, made / source.name)
        text = description.as_yaml(said.model_copy(update={"name": name}))
        (made / description.FILE_NAME).write_text(text, "utf-8")
        hashes = {one.name: manifest.sha256_of(one) for one in folder.files(made)}
        Manifest(name, said.source, 0, licence=said.licence, files=hashes).write(made)
        made.rename(self._path(name))

    def _licence(self, name: str) -> str:
        try:
            return manifest.parse(self._path(name) / manifest.FILE_NAME).licence
        except manifest.ModelInvalid:
            return ""

    def _path(self, name: str) -> Path:
        return self._models / name

    def _unknown(self, name: str) -> VisionProblem:
        ready = "、".join(one.name for one in self.list())
        if name in catalogue():
            return VisionProblem(
                f"模型 {name} 尚未下载，请运行 bedside model pull {name}。",
                f"The model {name} is not here yet; run `bedside model pull {name}`.",
            )
        return VisionProblem(
            f"没有影像模型 {name[:60]}，可选：{ready}；或给出模型文件夹。",
            "There is no such image model; name one of these, or give a folder.",
        )


def _entry(offer: Offer, one: _File) -> Entry:
    given = []
    if place := os.environ.get(mirrors.MIRROR_VARIABLE):
        given = [
            FolderMirror(kind="folder", path=Path(place) / name)
            for name in (offer.name, offer.upstream)
        ]
    hub = HubMirror(
        kind="github",
        repository=offer.mirror.repository,
        revision=offer.mirror.revision,
        file=f"{offer.mirror.folder}/{one.file}",
    )
    return Entry(
        name=offer.name, file=one.file, sha256=one.sha256, bytes=one.bytes, mirrors=(*given, hub)
    )
