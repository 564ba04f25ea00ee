"""One row of an insurer's list, and how a person wrote what may be one."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

COLUMNS = (
    "code",
    "name",
    "specification",
    "pack",
    "form",
    "maker",
    "brand",
    "alias",
    "unit",
    "class",
    "limit_price",
    "self_paid_share",
)
"""What a list may say of an entry; only ``code`` and ``name`` are needed.  ``pack`` is joined to
``specification``."""


class Entry(BaseModel):
    """A row of a list.  ``category`` is 甲, 乙 or 丙; prices and shares are text as printed."""

    model_config = ConfigDict(frozen=True)

    code: str
    name: str
    specification: str = ""
    form: str = ""
    maker: str = ""
    brand: str = ""
    alias: str = ""
    unit: str = ""
    category: str = ""
    limit_price: str = ""
    self_paid_share: str = ""
    list: str = ""


class Written(BaseModel):
    """What stands on a bill."""

    model_config = ConfigDict(frozen=True)

    name: str
    specification: str = ""
    form: str = ""
    maker: str = ""


class Candidate(BaseModel):
    """An entry that came near, its distance of the name, and what speaks against it."""

    entry: Entry
    distance: float
    agrees: list[str] = []
    conflicts: list[str] = []


class Match(BaseModel):
    """What was found.  ``entry`` is there only where ``status`` is ``matched``.

    ``reason`` says why nothing was chosen: ``none`` (nothing is near), ``conflict`` (the name is
    there, but with another strength, form or route), ``ambiguous`` (several entries fit what was
    given), ``uncertain`` (below the threshold).
    """

    status: Literal["matched", "abstained"]
    source: Literal["", "catalogue", "learned"] = ""
    entry: Entry | None = None
    confidence: float = 0.0
    reason: Literal["", "none", "conflict", "ambiguous", "uncertain"] = ""
    message: str = ""
    candidates: list[Candidate] = []
