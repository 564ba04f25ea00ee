"""The tables.

What belongs to a patient carries ``patient_id`` and can be purged.  `AuditRow` holds ids and keyed
hashes only, is never changed, and stays.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from assistant.store.column_types import StorableJson, StorableText, UtcTime
from assistant.store.context import Context

RequestStatus = Literal["queued", "running", "finished", "failed", "cancelled"]
StatementAction = Literal["confirmed", "deleted", "edited", "restored"]
Verdict = Literal["like", "dislike", "error"]

BigNumber = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """The metadata that the migrations are checked against."""

    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy, never changed
        datetime: UtcTime,
        dict[str, Any]: StorableJson,
        str: StorableText,
    }


class RequestRow(Base):
    """Something that a doctor or a system asked for, and how far it is.

    ``kind`` is that of its task.  ``payload`` and ``failure`` may hold patient text.  ``bound``:
    the payload is the record itself.  ``source`` is where it came from, ``batch`` that nobody waits
    for it, ``asked_at`` when somebody last listened or asked how far it is.
    """

    __tablename__ = "requests"
    __table_args__ = (
        UniqueConstraint("actor_id", "idempotency_key", name="uq_requests_key"),
        Index("ix_requests_patient", "patient_id", "id"),
        Index("ix_requests_status", "status", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    payload: Mapped[dict[str, Any]]
    options: Mapped[dict[str, Any]]
    record_hash: Mapped[str]
    idempotency_key: Mapped[str | None]
    body_ref: Mapped[str] = mapped_column(String(64))
    attempts: Mapped[int]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(server_default="")
    batch: Mapped[bool] = mapped_column(Boolean, server_default=false())
    bound: Mapped[bool] = mapped_column(Boolean, server_default=true())
    started_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]

    @property
    def context(self) -> Context:
        """The context in which the request was made: a job goes on in it."""
        return Context(self.actor_id, self.actor_role, self.patient_id, self.encounter_id)


class DraftRow(Base):
    """One generated text (or one section of it) waiting for a doctor.

    ``seconds_to_acceptance`` runs from ``created_at`` to the first fill-in; ``edit_distance`` is
    counted in code points (see `assistant.store.edit_distance`).  ``opened_at`` is when a person
    first looked at it.
    """

    __tablename__ = "drafts"
    __table_args__ = (
        UniqueConstraint("request_id", "member", "section", name="uq_drafts_place"),
        Index("ix_drafts_patient", "patient_id", "id"),
        Index("ix_drafts_model", "model", "kind", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    request_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("requests.id", ondelete="CASCADE")
    )
    kind: Mapped[str]
    member: Mapped[str]
    section: Mapped[str]
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    content: Mapped[dict[str, Any]]
    record_hash: Mapped[str]
    model: Mapped[str]
    prompt_version: Mapped[str]
    knowledge_version: Mapped[str]
    created_at: Mapped[datetime]
    stale_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None]
    accepted_text: Mapped[str | None]
    seconds_to_acceptance: Mapped[float | None]
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[str | None]
    signed_text: Mapped[str | None]
    edit_distance: Mapped[int | None]
    opened_at: Mapped[datetime | None]


class ResolutionRow(Base):
    """What a doctor did with one statement of a draft; rows are only ever added."""

    __tablename__ = "resolutions"
    __table_args__ = (
        UniqueConstraint("actor_id", "idempotency_key", name="uq_resolutions_key"),
        Index("ix_resolutions_draft", "draft_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    draft_id: Mapped[str] = mapped_column(String(36), ForeignKey("drafts.id", ondelete="CASCADE"))
    statement_id: Mapped[str]
    action: Mapped[str] = mapped_column(String(16))
    text: Mapped[str | None]
    actor_id: Mapped[str]
    idempotency_key: Mapped[str | None]
    body_ref: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class FeedbackRow(Base):
    """A doctor's opinion on a draft.

    A purge empties the text, the ids and ``draft_id``; verdict, member and model stay, so that
    counts stay right.  ``superseded`` marks a like or dislike that the same actor changed later.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("actor_id", "idempotency_key", name="uq_feedback_key"),
        Index("ix_feedback_patient", "patient_id", "id"),
        Index("ix_feedback_draft", "draft_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    draft_id: Mapped[str | None] = mapped_column(
        String(36), ForeignKey("drafts.id", ondelete="SET NULL")
    )
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    kind: Mapped[str]
    member: Mapped[str]
    model: Mapped[str]
    verdict: Mapped[str] = mapped_column(String(16))
    section: Mapped[str | None]
    span_start: Mapped[int | None]
    span_end: Mapped[int | None]
    quote: Mapped[str | None]
    comment: Mapped[str | None]
    correction: Mapped[str | None]
    superseded: Mapped[bool]
    idempotency_key: Mapped[str | None]
    body_ref: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class AuditRow(Base):
    """One thing that somebody did.  Ids and keyed hashes only, never text."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_patient", "patient_ref", "seq"),
        Index("ix_audit_object", "object_id", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    action: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(64))
    patient_ref: Mapped[str] = mapped_column(String(64))
    encounter_ref: Mapped[str] = mapped_column(String(64))
    content_ref: Mapped[str] = mapped_column(String(64))
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The signed end of the audit chain; one row."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigNumber)
    hash: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(64))
    key_check: Mapped[str] = mapped_column(String(64))


class IdempotencyRow(Base):
    """An answer that is given again when the same POST comes twice."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_patient", "patient_id"),)

    actor_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str]
    body_ref: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str]
    status: Mapped[int | None]
    body: Mapped[str | None]
    created_at: Mapped[datetime]


class ApiKeyRow(Base):
    """A key of a caller; only its hash is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    actor_id: Mapped[str]
    role: Mapped[str]
    label: Mapped[str]
    secret_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class AttachmentRow(Base):
    """A page or a series of a patient; ``details`` is what its kind says of it beside id and hash.

    ``key`` tells it from the others of its kind and encounter.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        UniqueConstraint(
            "patient_id", "encounter_id", "kind", "key", name="uq_attachments_content"
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str]
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class AttachmentFileRow(Base):
    """One file of an attachment, which lies in the folder of contents under its hash."""

    __tablename__ = "attachment_files"
    __table_args__ = (
        Index("ix_attachment_files_sha256", "sha256"),
        Index("ix_attachment_files_name", "name"),
    )

    attachment_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("attachments.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)


class ApprovalRow(Base):
    """That somebody marked a model, a precision and prompts approved, and on what run.

    Rows are only ever added.  ``prompts`` maps a prompt's name to its SHA-256; ``evidence`` is what
    the run was: kind, scores, hashes, versions; ``options`` what else the engine runs with, which
    approvals from before the fourth version of the schema do not have.
    """

    __tablename__ = "approvals"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    engine: Mapped[str]
    model: Mapped[str]
    engine_kind: Mapped[str] = mapped_column(String(16))
    files_sha256: Mapped[str] = mapped_column(String(64))
    precision: Mapped[str]
    kv_cache: Mapped[str]
    prompts: Mapped[dict[str, Any]]
    run: Mapped[str]
    evidence: Mapped[dict[str, Any]]
    gate: Mapped[str]
    approved_by: Mapped[str]
    note: Mapped[str]
    created_at: Mapped[datetime]
    options: Mapped[dict[str, Any] | None] = mapped_column(StorableJson(none_as_null=True))


class RevocationRow(Base):
    """That an approval was taken back; rows are only ever added."""

    __tablename__ = "revocations"

    approval_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("approvals.id"), primary_key=True
    )
    revoked_by: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]


class ApprovalStepRow(Base):
    """That an approval was returned because a floor broke, or given again by a person.

    Rows are only ever added; the last one counts.  ``step`` is returned or reinstated, ``figures``
    what was measured, without any text of a patient.
    """

    __tablename__ = "approval_steps"
    __table_args__ = (Index("ix_approval_steps_approval", "approval_id", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    approval_id: Mapped[str] = mapped_column(String(36), ForeignKey("approvals.id"))
    step: Mapped[str] = mapped_column(String(16))
    by: Mapped[str]
    reason: Mapped[str]
    figures: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class QualityReviewRow(Base):
    """A person's scores of one draft on a form: item → score.  One a draft and reviewer."""

    __tablename__ = "quality_reviews"
    __table_args__ = (
        UniqueConstraint("draft_id", "reviewer", "form", name="uq_quality_reviews_place"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    draft_id: Mapped[str] = mapped_column(String(36), ForeignKey("drafts.id", ondelete="CASCADE"))
    form: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str]
    model: Mapped[str]
    reviewer: Mapped[str]
    scores: Mapped[dict[str, Any]]
    comment: Mapped[str]
    created_at: Mapped[datetime]


class ShadowAnswerRow(Base):
    """What a candidate answered beside the model in use; no doctor is shown it as a draft.

    ``identity`` is what the candidate was: engine, model, files, prompts.  ``content`` are its
    drafts, ``differences`` how they differ from the real ones; both empty until it is done.
    ``status`` is waiting, done or failed.
    """

    __tablename__ = "shadow_answers"
    __table_args__ = (
        UniqueConstraint("request_id", "engine", "fingerprint", name="uq_shadow_answers_place"),
        Index("ix_shadow_answers_status", "status", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    request_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("requests.id", ondelete="CASCADE")
    )
    kind: Mapped[str]
    engine: Mapped[str]
    model: Mapped[str]
    fingerprint: Mapped[str] = mapped_column(String(64))
    identity: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    content: Mapped[dict[str, Any]]
    differences: Mapped[dict[str, Any]]
    failure: Mapped[str]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ShadowReviewRow(Base):
    """Which of two texts a person preferred without knowing whose they were."""

    __tablename__ = "shadow_reviews"
    __table_args__ = (UniqueConstraint("answer_id", "reviewer", name="uq_shadow_reviews_place"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    answer_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("shadow_answers.id", ondelete="CASCADE")
    )
    reviewer: Mapped[str]
    preferred: Mapped[str] = mapped_column(String(16))
    comment: Mapped[str]
    created_at: Mapped[datetime]


class TaskReleaseRow(Base):
    """That the results of an imaging task were switched on or off for filling in; rows are only
    ever added."""

    __tablename__ = "task_releases"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    is_on: Mapped[bool]
    switched_by: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]


class BillRow(Base):
    """A bill as it stands now: what was read, with what people corrected; its id is its draft's.

    ``version`` counts its savings.  ``items`` are the names of its items, ``words`` all that its
    pages say; ``total_cents`` is the total in hundredths.
    """

    __tablename__ = "bills"
    __table_args__ = (Index("ix_bills_patient", "patient_id", "id"),)

    id: Mapped[str] = mapped_column(
        String(36), ForeignKey("drafts.id", ondelete="CASCADE"), primary_key=True
    )
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    kind: Mapped[str] = mapped_column(String(32))
    hospital: Mapped[str]
    number: Mapped[str]
    issued_on: Mapped[str]
    total_cents: Mapped[int | None] = mapped_column(BigInteger)
    items: Mapped[str]
    words: Mapped[str]
    content: Mapped[dict[str, Any]]
    layout: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None]


class BillCorrectionRow(Base):
    """One cell that somebody changed; rows are only ever added, and go with their bill."""

    __tablename__ = "bill_corrections"
    __table_args__ = (Index("ix_bill_corrections_bill", "bill_id", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    bill_id: Mapped[str] = mapped_column(String(36), ForeignKey("bills.id", ondelete="CASCADE"))
    version: Mapped[int]
    path: Mapped[str]
    old: Mapped[str]
    new: Mapped[str]
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    created_at: Mapped[datetime]


class BillLayoutRow(Base):
    """What corrections taught of one layout: labels, places and names, nothing of a patient."""

    __tablename__ = "bill_layouts"

    signature: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    content: Mapped[dict[str, Any]]
    actor_id: Mapped[str]
    updated_at: Mapped[datetime]


class MessageRow(Base):
    """A message of another system as it came, decoded; ``content`` holds patient text.

    ``stamp`` is the sender's time as written, ``handed_at`` when it became a record event.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("sender", "control_id", "stamp", name="uq_messages_control"),
        Index("ix_messages_patient", "patient_id", "encounter_id"),
        Index("ix_messages_handed", "handed_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sender: Mapped[str]
    control_id: Mapped[str]
    stamp: Mapped[str]
    kind: Mapped[str] = mapped_column(String(16))
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    happened_at: Mapped[datetime]
    content: Mapped[str]
    body_ref: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    handed_at: Mapped[datetime | None]


class CatalogueSynonymRow(Base):
    """A wording that somebody gave an entry of the catalogue; ``key`` is the hash of the wording.

    ``core`` is its name alone, ``name`` that of the entry.
    """

    __tablename__ = "catalogue_synonyms"
    __table_args__ = (Index("ix_catalogue_synonyms_core", "core"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    core: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    actor_id: Mapped[str]
    times: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class DicomStudyRow(Base):
    """A study that arrives over the network, instance by instance.

    ``series`` is what is known of each series by its UID, ``routes`` what was started from the
    study by the key of its request; see `assistant.store.studies`.
    """

    __tablename__ = "dicom_studies"
    __table_args__ = (
        UniqueConstraint("patient_id", "encounter_id", "study_uid", name="uq_dicom_studies_study"),
        Index("ix_dicom_studies_state", "state", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(64))
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    note: Mapped[str]
    series: Mapped[dict[str, Any]]
    routes: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    arrived_at: Mapped[datetime]

    @property
    def context(self) -> Context:
        """The context that the study belongs to; what it starts goes on in it."""
        return Context(self.actor_id, "system", self.patient_id, self.encounter_id)


class ConversationRow(Base):
    """A conversation over the record of one encounter.

    Its turns are drafts whose ``section`` is its id; ``record`` is the encounter that they read.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_patient", "patient_id", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    title: Mapped[str]
    record: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CardRow(Base):
    """Something that was shown to a doctor at work (an alert, a draft that is ready), and the
    answer to it.

    ``key`` is the same as long as the facts are.  ``outcome`` is empty, accepted or overridden.  A
    purge empties ids, key and comment; rule and outcome stay, so that rates stay right.
    """

    __tablename__ = "cards"
    __table_args__ = (
        Index("ix_cards_patient", "patient_id", "encounter_id"),
        Index("ix_cards_rule", "rule"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    service: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    rule: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64))
    severity: Mapped[str] = mapped_column(String(16))
    interruptive: Mapped[bool]
    draft_id: Mapped[str | None] = mapped_column(String(36))
    suggestions: Mapped[dict[str, Any]]
    actor_id: Mapped[str]
    application: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    created_at: Mapped[datetime]
    shown: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64))
    comment: Mapped[str]
    answered_by: Mapped[str]
    answered_at: Mapped[datetime | None]


class TokenUseRow(Base):
    """The id of a client's token that was used, kept until the token expires."""

    __tablename__ = "token_uses"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]


class SmartSessionRow(Base):
    """A doctor's session from the hospital's log-in, sealed; ``key`` is the hash of its cookie."""

    __tablename__ = "smart_sessions"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes]
    expires_at: Mapped[datetime]


class RecordEventRow(Base):
    """Something that happened to a record, as a system told it; ``key`` is its sender's id."""

    __tablename__ = "record_events"
    __table_args__ = (
        UniqueConstraint("application", "key", name="uq_record_events_key"),
        Index("ix_record_events_patient", "patient_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    key: Mapped[str] = mapped_column(String(128))
    type: Mapped[str] = mapped_column(String(32))
    application: Mapped[str]
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    body_ref: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class EventWorkRow(Base):
    """What a rule makes of the events of an encounter: one row a rule, task and encounter.

    ``status`` is waiting until ``due_at``, then made; ``request_id`` the request of the newest
    record.  ``payload`` is that request, and empty once it is made.
    """

    __tablename__ = "event_work"
    __table_args__ = (
        UniqueConstraint("rule", "kind", "patient_id", "encounter_id", name="uq_event_work_place"),
        Index("ix_event_work_due", "status", "due_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    rule: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    application: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    record_hash: Mapped[str]
    payload: Mapped[dict[str, Any]]
    options: Mapped[dict[str, Any]]
    bound: Mapped[bool]
    event_id: Mapped[str] = mapped_column(String(36))
    request_id: Mapped[str | None] = mapped_column(String(36))
    due_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class OutboxRow(Base):
    """A text that a doctor took and that the hospital's system is told of.

    It is written with the acceptance itself, so that neither is there without the other.  ``key``
    is the same for the same text of the same draft.  ``status`` is waiting, sent, or failed after
    the last try; ``problem`` says what went wrong, without anything of the text.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("key", name="uq_outbox_key"),
        Index("ix_outbox_due", "status", "due_at"),
        Index("ix_outbox_patient", "patient_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    draft_id: Mapped[str] = mapped_column(String(36))
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    payload: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    problem: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
