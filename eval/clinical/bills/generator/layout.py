"""Layouts of pages, read from YAML: where a hospital prints what, and with which words."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from assistant.tasks.bill_ocr.document import DocumentKind

Colour = tuple[int, int, int]
Entry = list[int | str]
"""[x, label, field], then the x of the value (0: right behind the label), then a prefix of it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Heading(_Part):
    """A centred line."""

    y: int
    size: int
    text: str = ""


class Lines(_Part):
    """Lines of labels with their values."""

    rows: list[list[Entry]]
    height: int
    size: int
    top: int = 0


class Column(_Part):
    """A column of the table."""

    column: str
    label: str
    width: int
    align: Literal["left", "right", "centre"] = "left"
    wrap: bool = False


class Table(_Part):
    """The items; ``source`` groups: a row a class of cost.  ``blocks`` stand side by side."""

    columns: list[Column]
    top: int
    row: int
    size: int
    rows: tuple[int, int]
    left: int = 40
    blocks: int = 1
    source: Literal["items", "groups"] = "items"
    grid: bool = False
    rules: bool = False
    subtotals: bool = False
    total: str = ""


class Code(_Part):
    """The square code of an electronic bill; ``type`` is the code of the kind of bill."""

    x: int
    y: int
    size: int
    type: str


class Stamp(_Part):
    """A round seal; its place is about the foot of the table."""

    x: int
    text: str


class Layout(_Part):
    """One form.  ``printed``: values are printed into a form that was there before (套打)."""

    name: str
    kind: DocumentKind
    page: tuple[int, int]
    fonts: dict[str, str]
    title: Heading
    lines: Lines
    table: Table | None = None
    foot: Lines | None = None
    hospital: Heading | None = None
    colours: dict[str, Colour] = {"label": (25, 25, 25), "value": (25, 25, 25)}
    paper: Colour = (255, 255, 255)
    dates: str = "{y}-{m:02}-{d:02}"
    amounts: str = ""
    printed: bool = False
    qr: Code | None = None
    stamp: Stamp | None = None


@cache
def layouts(group: Literal["seen", "unseen"]) -> tuple[Layout, ...]:
    """The layouts that structure was made with, or those that it was only measured on."""
    folder = files("eval.clinical.bills.generator") / "layouts" / group
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        found.append(Layout(name=path.name.removesuffix(".yaml"), **content))
    return tuple(found)
