"""A doctor's work on a draft: resolve statements, fill in, sign.  The API and the UI share it."""

from __future__ import annotations

from typing import Any

from assistant.draft import Answer, DifferentialDraft, SectionDraft, Statement
from assistant.record.record import Case
from assistant.review.fill_in import (
    Draft,
    FillIn,
    NothingToFill,
    Resolution,
    Unresolved,
    fill_in,
    open_statements,
    statements_of,
)
from assistant.store import Context, DraftRow, InvalidArgument, StatementAction, Store
from assistant.store.errors import UnresolvedStatements

_KINDS: dict[str, type[Draft]] = {
    "differential_diagnosis": DifferentialDraft,
    "discharge_section": SectionDraft,
    "answer": Answer,
}


def typed(row: DraftRow) -> Draft:
    """The chain's draft out of its row.  Raises `InvalidArgument` for a kind without statements."""
    content: dict[str, Any] = row.content["draft"]
    if content["kind"] not in _KINDS:
        raise InvalidArgument(
            "这类草稿没有可逐条确认或回填的内容。(This kind of draft has no statements.)"
        )
    return _KINDS[content["kind"]].model_validate(content)


class Review:
    """One doctor's review of drafts in one patient's context.  Methods block on the store."""

    def __init__(self, store: Store, context: Context) -> None:
        self._store = store
        self._context = context

    def resolutions(self, draft_id: str) -> dict[str, Resolution]:
        """The latest decision on each statement."""
        rows = self._store.drafts.resolutions(self._context, draft_id)
        return {row.statement_id: Resolution(row.action, row.text) for row in rows}  # type: ignore[arg-type]

    def resolve(
        self,
        draft_id: str,
        statement_id: str,
        action: StatementAction,
        text: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> list[Statement]:
        """Keep a decision and give the statements that are still open.

        Raises `InvalidArgument` for a statement that the draft does not have, and what
        `Drafts.resolve_statement` raises.
        """
        draft = typed(self._store.drafts.get(self._context, draft_id))
        if statement_id not in {s.id for s in statements_of(draft)}:
            raise InvalidArgument("草稿中没有这条内容。(The draft has no such statement.)")
        self._store.drafts.resolve_statement(
            self._context, draft_id, statement_id, action, text, idempotency_key=idempotency_key
        )
        return open_statements(statements_of(draft), self.resolutions(draft_id))

    def fill_in(self, draft_id: str) -> FillIn:
        """The text to copy, kept as accepted.  Raises `Unresolved`, `DraftNotFound`.

        A draft with nothing to fill in raises `NothingToFill` and is not accepted.
        """
        row = self._store.drafts.get(self._context, draft_id)
        try:
            filled = fill_in(typed(row), self.resolutions(draft_id), self._case(row))
        except NothingToFill:
            raise
        except Unresolved as error:
            try:
                self._store.drafts.accept(self._context, draft_id, "", len(error.statements))
            except UnresolvedStatements:
                raise error from None
            raise
        self._store.drafts.accept(self._context, draft_id, filled.text, 0)
        return filled if row.stale_at is None else filled.marked_stale()

    def filled(self, row: DraftRow) -> FillIn | None:
        """What was filled in or signed before, read without accepting anything anew.

        None when nothing was, or when the doctor has decided otherwise since and not signed.
        """
        if row.accepted_text is None:
            return None
        try:
            now = fill_in(typed(row), self.resolutions(row.id), self._case(row))
        except Unresolved:
            now = FillIn(text="", fields={})
        if row.signed_text is not None:
            now = now.model_copy(update={"text": row.signed_text})
        elif now.text != row.accepted_text:
            return None
        return now if row.stale_at is None else now.marked_stale()

    def sign(self, draft_id: str, final_text: str) -> DraftRow:
        """Keep the signed text.  Raises `DraftNotFound`, `AlreadySigned`."""
        return self._store.drafts.sign(self._context, draft_id, final_text)

    def _case(self, row: DraftRow) -> Case | None:
        if row.content["draft"]["kind"] != "differential_diagnosis":
            return None
        request = self._store.requests.get(self._context, row.request_id)
        return Case.model_validate(request.payload)
