"""What is sent and answered, as CDS Hooks 2.0 has it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

Text = Annotated[str, StringConstraints(min_length=1)]
FhirId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
UserId = Annotated[
    str, StringConstraints(pattern=r"^(Practitioner|PractitionerRole)/[A-Za-z0-9\-.]{1,64}$")
]
MAX_SUMMARY = 140


class FhirAuthorization(BaseModel):
    """The token by which the FHIR server may be read."""

    access_token: Text
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
    subject: str
    patient: str | None = None


class HookContext(BaseModel):
    """The part of a context that all of our hooks share; a hook has more fields."""

    model_config = ConfigDict(extra="allow")

    userId: UserId
    patientId: FhirId
    encounterId: FhirId | None = None
    draftOrders: dict[str, Any] | None = None
    selections: list[str] | None = None
    noteId: FhirId | None = None
    noteType: str | None = Field(default=None, max_length=64)
    noteTitle: str | None = Field(default=None, max_length=200)
    noteText: str | None = Field(default=None, max_length=200_000)
    department: str | None = Field(default=None, max_length=200)

    @property
    def user(self) -> str:
        """The id of who works, without the type of the resource."""
        return self.userId.partition("/")[2]


class HookRequest(BaseModel):
    """A call of a service."""

    model_config = ConfigDict(extra="allow")

    hook: Text
    hookInstance: Annotated[
        str, StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
    ]
    context: HookContext
    fhirServer: Annotated[str, StringConstraints(max_length=2000)] | None = None
    fhirAuthorization: FhirAuthorization | None = None
    prefetch: dict[str, Any] | None = None

    @field_validator("prefetch")
    @classmethod
    def _resources(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        for resource in (value or {}).values():
            if resource is not None and not isinstance(resource, dict):
                raise ValueError("a prefetched value is a resource or null")
        return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Coding(_Part):
    """A code with the words for it."""

    code: str
    system: str
    display: str = ""


class Source(_Part):
    """Where a card comes from."""

    label: Text
    url: str | None = None
    icon: str | None = None
    topic: Coding | None = None


class Link(_Part):
    """A page to go to."""

    label: Text
    url: str
    type: Literal["absolute", "smart"]
    appContext: str | None = None


class Action(_Part):
    """One change that a suggestion makes."""

    type: Literal["create", "update", "delete"]
    description: str
    resource: dict[str, Any] | None = None
    resourceId: str | None = None


class Suggestion(_Part):
    """What can be done by one click."""

    label: Text
    uuid: str
    isRecommended: bool = False
    actions: list[Action] = Field(default_factory=list)


class Card(_Part):
    """What the doctor sees."""

    uuid: str
    summary: Annotated[str, StringConstraints(min_length=1, max_length=MAX_SUMMARY)]
    detail: str | None = None
    indicator: Literal["info", "warning", "critical"]
    source: Source
    suggestions: list[Suggestion] | None = None
    selectionBehavior: Literal["at-most-one", "any"] | None = None
    overrideReasons: list[Coding] | None = None
    links: list[Link] | None = None


class CardsResponse(_Part):
    """The answer to a call."""

    cards: list[Card]


class AcceptedSuggestion(BaseModel):
    """A suggestion that was taken."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class OverrideReason(BaseModel):
    """Why a card was overridden: one of the card's reasons, or the user's words, or both."""

    reason: Coding | None = None
    userComment: Annotated[str, StringConstraints(max_length=2000)] | None = None


class CardFeedback(BaseModel):
    """What became of one card."""

    model_config = ConfigDict(extra="allow")

    card: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    outcome: Literal["accepted", "overridden"]
    outcomeTimestamp: Text
    acceptedSuggestions: list[AcceptedSuggestion] = Field(default_factory=list, max_length=50)
    overrideReason: OverrideReason | None = None


class FeedbackRequest(BaseModel):
    """What became of cards."""

    feedback: Annotated[list[CardFeedback], Field(min_length=1, max_length=200)]
