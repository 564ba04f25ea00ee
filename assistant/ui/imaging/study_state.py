"""What a session holds of a study on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel

from assistant.imaging.web_search import Listed
from assistant.record.attachment import Series
from assistant.store import Context
from assistant.ui.imaging.viewer import View
from assistant.ui.session import PageState, Work

DraftT = TypeVar("DraftT", bound=BaseModel)


@dataclass
class StudyState(PageState):
    """The patient's series, the work on them, and the picture that is shown."""

    work: Work = field(default_factory=Work)
    context: Context | None = None
    images: list[Series] = field(default_factory=list)
    offered: dict[str, Listed] = field(default_factory=dict)
    """What the archive has of the patient, by the UIDs of the series."""

    picture: str = ""
    view: View | None = None
    said: str = ""

    def works(self) -> Sequence[Work]:
        return (self.work,)

    def series(self, series_id: str | None) -> Series | None:
        """One of the patient's series."""
        return next((one for one in self.images if one.id == series_id), None)

    def draft(self, kind: type[DraftT]) -> DraftT | None:
        """What the work has given, when it has."""
        drafts = [shown.draft for shown in self.work.shown.values()]
        return next((one for one in drafts if isinstance(one, kind)), None)
