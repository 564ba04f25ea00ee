"""A doctor's work on a draft: resolve statements, fill in, sign.  The API and the UI share it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import BaseModel

from assistant.draft import Draft, Statement
from assistant.review.fill_in import (
    FillIn,
    NothingToFill,
    Resolution,
    Unresolved,
    open_statements,
)
from assistant.store import (
    Context,
    DraftRow,
    InvalidArgument,
    RoleRefused,
    StatementAction,
    Store,
)
from assistant.store.errors import UnresolvedStatements
from assistant.work.registry import Registry
from assistant.work.task import AnyTask


class Review:
    """One doctor's review of drafts in one patient's context.  Methods block on the store."""

    def __init__(self, store: Store, context: Context, tasks: Registry) -> None:
        self._store = store
        self._context = context
        self._tasks = tasks

    def draft(self, row: DraftRow) -> tuple[AnyTask, Draft]:
        """The task of a draft, and the draft as the task wrote it.

        Raises `InvalidArgument` for one without statements.
        """
        draft = self._tasks.draft(row.content["draft"])
        task = self._tasks.of_draft(draft.kind)
        known = task is not None and isinstance(draft, task.draft)
        if task is None or not known or not (task.reviewed or task.released):
            raise InvalidArgument(
                "这类草稿没有可逐条确认或回填的内容。(This kind of draft has no statements.)"
            )
        if task.released and self._store.releases.get(task.kind) is None:
            raise InvalidArgument(
                f"“{task.title.zh}”的结果仅供研究，尚未开启回填：须由管理员以姓名和理由开启"
                f"（bedside imaging-release on {task.kind} --by 姓名 --reason 理由）。"
                "(Results of this task are for research and are not filled in until an "
                "administrator switches that on.)"
            )
        return task, draft

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
        _, draft = self.draft(self._store.drafts.get(self._context, draft_id))
        if statement_id not in {s.id for s in draft.all_statements()}:
            raise InvalidArgument("草稿中没有这条内容。(The draft has no such statement.)")
        self._store.drafts.resolve_statement(
            self._context, draft_id, statement_id, action, text, idempotency_key=idempotency_key
        )
        return open_statements(draft.all_statements(), self.resolutions(draft_id))

    def fill_in(self, draft_id: str) -> FillIn:
        """The text to copy, kept as accepted.  Raises `Unresolved`, `DraftNotFound`, `RoleRefused`.

        A draft with nothing to fill in raises `NothingToFill` and is not accepted.
        """
        row = self._store.drafts.get(self._context, draft_id)
        self._check_role(row)
        try:
            filled = self._filled(row)
        except NothingToFill:
            raise
        except Unresolved as error:
            try:
                self._store.drafts.accept(self._context, draft_id, "", len(error.statements))
            except UnresolvedStatements:
                raise error from None
            raise
        self._store.drafts.accept(self._context, draft_id, filled.text, 0, filled.fields)
        return filled if row.stale_at is None else filled.marked_stale()

    def filled(self, row: DraftRow) -> FillIn | None:
        """What was filled in or signed before, read without accepting anything anew.

        None when nothing was, or when the doctor has decided otherwise since and not signed.
        """
        if row.accepted_text is None:
            return None
        try:
            now = self._filled(row)
        except Unresolved:
            now = FillIn(text="", fields={})
        if row.signed_text is not None:
            now = now.model_copy(update={"text": row.signed_text})
        elif now.text != row.accepted_text:
            return None
        return now if row.stale_at is None else now.marked_stale()

    def sign(self, draft_id: str, final_text: str) -> DraftRow:
        """Keep the signed text.  Raises `DraftNotFound`, `AlreadySigned`, `RoleRefused`."""
        row = self._store.drafts.get(self._context, draft_id)
        self._check_role(row)
        task = self._tasks.get(row.kind)
        if task is not None and task.released:
            self.draft(row)  # refused while it is not switched on
        return self._store.drafts.sign(self._context, draft_id, final_text)

    def _check_role(self, row: DraftRow) -> None:
        task = self._tasks.get(row.kind)
        if task is not None and self._context.actor_role not in task.review_roles:
            raise RoleRefused(sorted(task.review_roles))

    def _filled(self, row: DraftRow) -> FillIn:
        task, draft = self.draft(row)
        resolutions = self.resolutions(row.id)
        filled = filled_in(task, draft, resolutions, lambda: self._request(task, row))
        given = self._store.releases.get(task.kind) if task.released else None
        return filled if given is None else filled.marked_research(given)

    def _request(self, task: AnyTask, row: DraftRow) -> BaseModel:
        request = self._store.requests.get(self._context, row.request_id)
        read: BaseModel = task.request.model_validate(request.payload)
        return read


def filled_in(
    task: AnyTask,
    draft: Draft,
    resolutions: Mapping[str, Resolution],
    request: Callable[[], BaseModel | None],
) -> FillIn:
    """The text of the draft.

    Raises `Unresolved` while an unsupported statement is open, and its kind `NothingToFill` when
    nothing is left to fill in.
    """
    if pending := open_statements(draft.all_statements(), resolutions):
        raise Unresolved(pending)
    filled: FillIn = task.fill_in(draft, resolutions, request)
    return filled
