"""Where a statement comes from."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from knowledge.text.finding import Span


class Evidence(BaseModel):
    """Where a statement comes from: a span of the record, or a passage of the knowledge base."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["record", "knowledge"]
    quote: str
    span: Span | None = None
    passage_id: str | None = None
    source: str = ""
