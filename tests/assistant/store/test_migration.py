"""An old store is brought up to date, also when the program is killed in the middle of it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import warm_process
from old_store import COLUMNS_OF_0003, TABLES_OF_0005, make_old, write_0002

from assistant.record.evidence import TextSpan
from assistant.store import Context, DraftRow, RequestRow, Store
from assistant.work.registry import OtherDraft, installed

KILLED = """
import os, signal, sys
from pathlib import Path
from alembic import op
from assistant.store import Store

left = int(sys.argv[2])

def counting(change):
    def call(*arguments, **options):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return change(*arguments, **options)
    return call

for name in ("add_column", "execute", "create_table", "create_index"):
    setattr(op, name, counting(getattr(op, name)))
Store.open(Path(sys.argv[1]), b"a secret that only the tests use")
"""


@pytest.fixture
def old(
    store: Store,
    path: Path,
    context: Context,
    submit: Callable[..., RequestRow],
    draft: Callable[..., DraftRow],
) -> dict[str, Any]:
    """A store of the second version, with work, feedback and an audit."""
    question = submit("chat")
    kept = draft(request=submit())
    store.feedback.add(context, kept.id, "error", quote="发热", correction="低热")
    store.drafts.accept(context, kept.id, "发热3天。", 0)
    rows = len(store.audit.list(limit=500))
    store.close()
    make_old(path, "0002")
    return {"question": question.id, "draft": kept.id, "rows": rows}


def check(path: Path, secret: bytes, context: Context, old: dict[str, Any]) -> None:
    """All that was there is there, and the audit is whole."""
    store = Store.open(path, secret)
    assert store.audit.verify().ok
    assert len(store.audit.list(limit=500)) == old["rows"]
    kept = store.drafts.get(context, old["draft"])
    assert (kept.content["text"], kept.accepted_text) == ("发热3天，咳嗽。", "发热3天。")
    (opinion,) = store.feedback.list(context, kept.id)
    assert (opinion.quote, opinion.correction) == ("发热", "低热")
    question = store.requests.get(context, old["question"])
    assert (question.bound, question.batch, question.source) == (False, False, "")
    assert store.requests.get(context, kept.request_id).bound
    first = store.requests.claim_next()
    assert first is not None
    assert first.id == question.id, "what waited before waits still, in its order"
    store.close()


def test_an_old_store_is_brought_up_to_date(
    path: Path, secret: bytes, context: Context, old: dict[str, Any]
) -> None:
    check(path, secret, context, old)


@pytest.mark.parametrize("steps", range(len(COLUMNS_OF_0003) + 1))
def test_killed_in_the_middle_the_next_start_finishes_it(
    path: Path, secret: bytes, context: Context, old: dict[str, Any], steps: int
) -> None:
    killed = warm_process.run(["-c", KILLED, str(path), str(steps)], os.environ)
    assert killed.returncode == -signal.SIGKILL
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == ("0002",)
        columns = {row[1] for row in database.execute("PRAGMA table_info(requests)")}
    database.close()
    assert not columns & set(COLUMNS_OF_0003), "all or nothing"
    check(path, secret, context, old)


LATER_STEPS = range(len(COLUMNS_OF_0003) + 1, len(COLUMNS_OF_0003) + 5)
"""After the third version: a column of approvals, two tables, an index."""


@pytest.mark.parametrize("steps", LATER_STEPS)
def test_killed_after_the_third_version_the_next_start_goes_on_from_there(
    path: Path, secret: bytes, context: Context, old: dict[str, Any], steps: int
) -> None:
    killed = warm_process.run(["-c", KILLED, str(path), str(steps)], os.environ)
    assert killed.returncode == -signal.SIGKILL
    with sqlite3.connect(path) as database:
        (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
    database.close()
    assert version == ("0003" if steps == LATER_STEPS[0] else "0004")
    assert not tables & set(TABLES_OF_0005), "all or nothing"
    check(path, secret, context, old)


@pytest.mark.parametrize("steps", [None, 0, 3, LATER_STEPS[0], LATER_STEPS[-1]])
def test_what_the_second_version_wrote_is_readable(
    path: Path, secret: bytes, steps: int | None
) -> None:
    write_0002(path)
    if steps is not None:
        killed = warm_process.run(["-c", KILLED, str(path), str(steps)], os.environ)
        assert killed.returncode == -signal.SIGKILL
    store = Store.open(path, secret)
    assert store.audit.verify().ok
    assert {row.action for row in store.audit.list(limit=500)} >= {"draft.add", "feedback.add"}
    (approval,) = store.approvals.in_force()
    assert (approval.approved_by, approval.options) == ("王主任", None)
    assert "重新批准" in approval.problem
    doctor = Context("doctor-1", "doctor", "pat-1", "enc-1")
    (report,) = store.feedback.list(doctor)
    assert (report.quote, report.correction) == ("发热", "低热")
    tasks = installed()
    kinds: list[str] = []
    for row in store.drafts.list(doctor):
        draft = tasks.draft(row.content["draft"])
        assert not isinstance(draft, OtherDraft), row.kind
        kept = json.dumps(row.content, ensure_ascii=False)
        for evidence in (e for s in draft.all_statements() for e in s.evidence):
            kinds.append(evidence.kind)
            assert json.dumps(evidence.quote, ensure_ascii=False) in kept
            if isinstance(evidence, TextSpan):
                assert 0 <= evidence.start < evidence.end
    assert {"span", "passage"} == set(kinds)
    store.close()
