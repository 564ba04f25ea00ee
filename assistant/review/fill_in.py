"""一键回填: the text that goes into the hospital's record, made from a draft and its resolutions.

Only what is supported, or what a doctor has confirmed or edited, can be filled in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from assistant.draft import DISCLAIMER_ZH, Statement, name_id

if TYPE_CHECKING:
    from assistant.store.releases import Release


@dataclass(frozen=True)
class Resolution:
    """What a doctor decided about one statement."""

    action: Literal["confirmed", "deleted", "edited", "restored"]
    text: str | None = None


class Unresolved(Exception):
    """Statements that nothing supports still stand in the draft."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        super().__init__(
            f"{len(statements)} 条内容没有依据，请先逐条删除或确认，再回填。"
            f" ({len(statements)} unsupported statements must be deleted or confirmed first.)"
        )
        self.statements = list(statements)


class NothingToFill(Unresolved):
    """The draft holds nothing that could be filled in; no statement is open."""

    def __init__(self) -> None:
        super().__init__([])
        self.args = (
            "草稿中没有可以回填的内容：模型没有作答，或内容已全部删除。请重新生成，或由医师自行书写。"
            " (The draft has nothing to fill in.)",
        )


RESEARCH_ZH = "科研用途：影像算法的结果仅供研究，须由医师核对。"
STALE_ZH = "病历在本草稿生成之后已有改动，请先与现在的病历核对，或重新生成。"


class FillIn(BaseModel):
    """Text ready to copy, and the same as fields for the CDSS.

    ``stale``: the record has changed since the draft was made; the notice then says so.
    ``omissions`` are what the record has and the text must tell, and does not.
    """

    text: str
    fields: dict[str, str]
    notice: str = DISCLAIMER_ZH
    stale: bool = False
    omissions: list[str] = Field(default_factory=list)

    def marked_research(self, given: Release) -> FillIn:
        """The same, said to be for research, and who lets it be filled in."""
        at = f"{given.created_at.astimezone():%Y-%m-%d}"
        said = f"{RESEARCH_ZH}本院由{given.switched_by}于 {at} 开启回填。"
        text = f"{RESEARCH_ZH}\n{self.text}"
        fields = {
            name: text if value == self.text else value for name, value in self.fields.items()
        }
        return self.model_copy(update={"text": text, "fields": fields, "notice": said})

    def marked_stale(self) -> FillIn:
        """The same, said to be made from an older record."""
        return self.model_copy(update={"stale": True, "notice": f"{STALE_ZH}{self.notice}"})


def open_statements(
    statements: Sequence[Statement], resolutions: Mapping[str, Resolution]
) -> list[Statement]:
    """Unsupported statements that no doctor has dealt with (a restored one is open again).

    With the name of a diagnosis all that was said of it is dealt with.
    """

    def deleted(statement_id: str) -> bool:
        return statement_id in resolutions and resolutions[statement_id].action == "deleted"

    return [
        s
        for s in statements
        if s.status == "unsupported"
        and (s.id not in resolutions or resolutions[s.id].action == "restored")
        and not deleted(name_id(s.id))
    ]


def kept(statements: Sequence[Statement], resolutions: Mapping[str, Resolution]) -> list[str]:
    """The texts that stand: as they were, or as the doctor wrote them."""
    texts = []
    for statement in statements:
        resolution = resolutions.get(statement.id)
        if resolution is None or resolution.action in ("confirmed", "restored"):
            texts.append(statement.text)
        elif resolution.action == "edited" and resolution.text:
            texts.append(resolution.text)
    return texts
