"""A doubt about a study, as plain data."""

from __future__ import annotations

from pydantic import BaseModel


class Doubt(BaseModel):
    """Something that makes the maps less sure.  ``key`` is its name for programs."""

    key: str
    zh: str
    en: str
