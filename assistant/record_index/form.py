"""A search as a form: what the patient has, has not, what tests came to, and when."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from assistant.record_index.errors import SearchRefused

_Terms = list[str]


class SearchForm(BaseModel):
    """Each term is a condition of the query language (诊断:肺癌, EGFR:阳性, 肌酐>120umol/L)."""

    model_config = ConfigDict(extra="forbid")

    all_of: _Terms = Field(default_factory=list, max_length=20)
    any_of: _Terms = Field(default_factory=list, max_length=20)
    none_of: _Terms = Field(default_factory=list, max_length=20)
    begin: date | None = None
    end: date | None = None

    def query(self) -> str:
        """The query of the form.  Raises `SearchRefused` for an empty one."""
        parts = [_one(term) for term in self.all_of if term.strip()]
        if any_of := [_one(term) for term in self.any_of if term.strip()]:
            parts.append(any_of[0] if len(any_of) == 1 else f"({' OR '.join(any_of)})")
        parts += [f"NOT {_one(term)}" for term in self.none_of if term.strip()]
        if not parts:
            raise SearchRefused("请至少填写一个条件。(Fill in one condition at least.)")
        if self.begin is not None:
            parts.append(f"日期>={self.begin.isoformat()}")
        if self.end is not None:
            parts.append(f"日期<={self.end.isoformat()}")
        return " AND ".join(parts)


def _one(term: str) -> str:
    """A term; one that is more than a condition stands in brackets of its own."""
    plain = term.strip()
    return f"({plain})" if any(sign.isspace() for sign in plain) else plain
