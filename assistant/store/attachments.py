"""Attachments: pages and series of a patient, kept by the hash of what they hold.

Who may see a draft of the encounter may see its attachments; every reading is noted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Text, cast, delete, exists, func, select
from sqlalchemy.orm import Session

from assistant.record.attachment import DICOM, Attachment, referenced
from assistant.record.attachment_content import Content, InstanceContent, PageContent
from assistant.store.access import find, page_size, visible, visible_rows
from assistant.store.audit import Audit
from assistant.store.contents import Contents
from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.errors import AttachmentConflict, AttachmentNotFound, InvalidArgument
from assistant.store.identifier import new_id
from assistant.store.keyed_hash import content_hash
from assistant.store.models.attachment import AttachmentFileRow, AttachmentRow
from assistant.store.models.request import RequestRow

_TYPED: TypeAdapter[Attachment] = TypeAdapter(Attachment)


class Attachments:
    """The attachments of the store."""

    def __init__(self, database: Database, audit: Audit, contents: Contents | None) -> None:
        self._database = database
        self._audit = audit
        self._contents = contents

    def add(self, context: Context, content: Content, *, page: int = 1) -> Attachment:
        """Keep a page, or an instance as a part of its series.

        It is on the disk when this returns.  The same content for the same patient and encounter
        is kept once.  Raises `InvalidArgument` without a patient, `AttachmentConflict` for another
        content under the UID of an instance that is there.
        """
        if not context.patient_id:
            raise InvalidArgument("An attachment belongs to a patient.")
        contents = self._files()
        aside = contents.put_aside(content.data)
        try:
            with self._database.write() as session:
                row, name = self._row(session, context, content, page)
                if self._add_file(session, row, name, content):
                    contents.keep(aside, content.sha256)
                    _update(session, row)
                    self._note(session, context, "add", row.id, [name, content.sha256])
                else:
                    self._note(session, context, "read", row.id)
                return _typed(row)
        finally:
            aside.unlink(missing_ok=True)

    def get(self, context: Context, attachment_id: str) -> Attachment:
        """One attachment of this patient; raises `AttachmentNotFound` (and notes the refusal)."""
        return _typed(self._visible(context, attachment_id)[0])

    def list(self, context: Context, limit: int = 100) -> Sequence[Attachment]:
        """This patient's attachments, newest first."""
        query = (
            select(AttachmentRow)
            .where(visible_rows(context, AttachmentRow))
            .order_by(AttachmentRow.id.desc())
            .limit(page_size(limit))
        )
        with self._database.write() as session:
            rows = session.scalars(query).all()
            for row in rows:
                self._note(session, context, "read", row.id)
            return [_typed(row) for row in rows]

    def files(self, context: Context, attachment_id: str) -> Sequence[str]:
        """The names of its files: of a series the UIDs of its instances."""
        return [file.name for file in self._visible(context, attachment_id)[1]]

    def content(
        self, context: Context, attachment_id: str, name: str | None = None
    ) -> tuple[bytes, str]:
        """A file of it, the only one where none is named, and its media type.

        Raises `AttachmentNotFound`.
        """
        files = self._visible(context, attachment_id)[1]
        chosen = [file for file in files if name is None or file.name == name]
        if len(chosen) != 1:
            raise AttachmentNotFound
        try:
            return self._files().read(chosen[0].sha256), chosen[0].media_type
        except FileNotFoundError:
            raise AttachmentNotFound from None

    def contents(self, context: Context, attachment_id: str) -> Iterator[tuple[str, bytes]]:
        """Its files by their names, one after the other, which is noted as one reading.

        Raises `AttachmentNotFound`.
        """
        for file in self._visible(context, attachment_id)[1]:
            try:
                yield file.name, self._files().read(file.sha256)
            except FileNotFoundError:
                raise AttachmentNotFound from None

    def holder(self, instance_uid: str) -> tuple[Context, str, str] | None:
        """Whose attachment has a file of this name: its context, its id and the file's hash.

        None where nobody has it.  An instance belongs to one patient, whoever sends it.
        """
        query = (
            select(AttachmentRow, AttachmentFileRow.sha256)
            .join(AttachmentFileRow, AttachmentFileRow.attachment_id == AttachmentRow.id)
            .where(AttachmentFileRow.name == instance_uid, AttachmentRow.kind == "dicom_series")
            .limit(1)
        )
        with self._database.read() as session:
            found = session.execute(query).first()
        if found is None:
            return None
        row, sha256 = found
        context = Context(row.actor_id, "system", row.patient_id, row.encounter_id)
        return context, row.id, sha256

    def check(self, context: Context, payload: Any) -> None:
        """Refuse a request that names an attachment which is not there, or is another by now.

        Raises `AttachmentNotFound`.
        """
        named = list(referenced(payload))
        if not named:
            return
        with self._database.read() as session:
            for one in named:
                row = find(session, AttachmentRow, str(one.get("id", "")))
                if row is None or not visible(context, row) or row.sha256 != one.get("sha256"):
                    raise AttachmentNotFound

    def sweep(self) -> int:
        """Delete files that no attachment has, which a kill may have left."""
        if self._contents is None:
            return 0
        with self._database.write() as session:
            kept = set(session.scalars(select(AttachmentFileRow.sha256)))
            return self._contents.delete_all_but(kept)

    def delete_files(self, hashes: Collection[str]) -> None:
        """Delete those of these contents that no attachment has any more."""
        if self._contents is None or not hashes:
            return
        with self._database.write() as session:
            self._contents.delete([one for one in hashes if not _used(session, one)])

    def _files(self) -> Contents:
        if self._contents is None:
            raise InvalidArgument("This store was opened without a folder for attachments.")
        return self._contents

    def _visible(
        self, context: Context, attachment_id: str
    ) -> tuple[AttachmentRow, Sequence[AttachmentFileRow]]:
        with self._database.write() as session:
            row = find(session, AttachmentRow, attachment_id)
            if row is not None and visible(context, row):
                self._note(session, context, "read", row.id)
                return row, _files_of(session, row)
            self._note(session, context, "read_refused", attachment_id)
        raise AttachmentNotFound

    def _row(
        self, session: Session, context: Context, content: Content, page: int
    ) -> tuple[AttachmentRow, str]:
        """The attachment that the content belongs to, made now where there is none yet."""
        kind, key, name, details = _described(content, page)
        row = session.scalar(
            select(AttachmentRow).where(
                AttachmentRow.patient_id == context.patient_id,
                AttachmentRow.encounter_id == context.encounter_id,
                AttachmentRow.kind == kind,
                AttachmentRow.key == key,
            )
        )
        if row is None:
            row = AttachmentRow(
                id=new_id(),
                kind=kind,
                key=key,
                actor_id=context.actor_id,
                patient_id=context.patient_id,
                encounter_id=context.encounter_id,
                sha256=content.sha256,
                details=details,
                created_at=self._database.clock(),
            )
            session.add(row)
            session.flush()
        elif any(
            row.details.get(part) != details[part]
            for part in ("study_uid", "modality")
            if part in details
        ):
            raise AttachmentConflict
        return row, name

    def _add_file(self, session: Session, row: AttachmentRow, name: str, content: Content) -> bool:
        """Whether it is new.  Raises `AttachmentConflict` where another has its name."""
        known = session.get(AttachmentFileRow, (row.id, name))
        if known is not None:
            if known.sha256 != content.sha256:
                raise AttachmentConflict
            return False
        media_type = content.media_type if isinstance(content, PageContent) else DICOM
        file = AttachmentFileRow(
            attachment_id=row.id,
            name=name,
            sha256=content.sha256,
            media_type=media_type,
            size=len(content.data),
        )
        session.add(file)
        session.flush()
        return True

    def _note(
        self, session: Session, context: Context, what: str, object_id: str, content: Any = None
    ) -> None:
        action = f"attachment.{what}"
        self._audit.append(session, context, action, "attachment", object_id, content)


def delete_rows(session: Session, rows: Iterable[AttachmentRow]) -> tuple[int, set[str]]:
    """Delete attachments; how many, and which contents they had."""
    ids = [row.id for row in rows]
    of_these = AttachmentFileRow.attachment_id.in_(ids)
    hashes = set(session.scalars(select(AttachmentFileRow.sha256).where(of_these)))
    session.execute(delete(AttachmentFileRow).where(of_these))
    session.execute(delete(AttachmentRow).where(AttachmentRow.id.in_(ids)))
    return len(ids), hashes


def named_by_a_request(session: Session, row: AttachmentRow) -> bool:
    """Whether a request that is kept is about this attachment; its id is in no other text."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    RequestRow.patient_id == row.patient_id,
                    cast(RequestRow.payload, Text).contains(row.id),
                )
            )
        )
    )


def _described(content: Content, page: int) -> tuple[str, str, str, dict[str, Any]]:
    """Kind, key within the encounter, name of the file, and what is kept of it."""
    if isinstance(content, InstanceContent):
        details: dict[str, Any] = {
            "study_uid": content.study_uid,
            "series_uid": content.series_uid,
            "modality": content.modality,
            "rows": content.rows,
            "columns": content.columns,
            "instances": 1,
        }
        return "dicom_series", content.series_uid, content.instance_uid, details
    details = {
        "media_type": content.media_type,
        "page": page,
        "width": content.width,
        "height": content.height,
    }
    return "page_image", f"{content.sha256}:{page}", str(page), details


def _update(session: Session, row: AttachmentRow) -> None:
    """Bring a series to what its instances are now."""
    if row.kind == "dicom_series":
        files = _files_of(session, row)
        row.sha256 = content_hash(sorted(file.sha256 for file in files))
        row.details = row.details | {"instances": len(files)}


def _files_of(session: Session, row: AttachmentRow) -> Sequence[AttachmentFileRow]:
    query = select(AttachmentFileRow).where(AttachmentFileRow.attachment_id == row.id)
    return session.scalars(query.order_by(AttachmentFileRow.name)).all()


def _used(session: Session, sha256: str) -> bool:
    query = select(func.count()).select_from(AttachmentFileRow)
    return bool(session.scalar(query.where(AttachmentFileRow.sha256 == sha256)))


def _typed(row: AttachmentRow) -> Attachment:
    return _TYPED.validate_python(
        {"kind": row.kind, "id": row.id, "sha256": row.sha256, **row.details}
    )
