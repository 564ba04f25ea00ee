"""Corrections are kept, never overwrite what was not seen, and improve the next reading."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from bill_samples import FIRST, SECOND, TRUTH, kept, reading
from sqlalchemy import func, select

from assistant.store import Context, Store
from assistant.store.bills import Wanted
from assistant.store.errors import BillChanged, BillNotFound
from assistant.store.models.bill import BillCorrectionRow, BillLayoutRow, BillRow
from assistant.tasks.bill_ocr.catalogue.building import build
from assistant.tasks.bill_ocr.catalogue.entry import Entry
from assistant.tasks.bill_ocr.catalogue.opening import catalogue_path
from assistant.tasks.bill_ocr.corrections import Bill, Change, Desk, Saving
from assistant.tasks.bill_ocr.document import BillDocument
from assistant.work.task import Refused

WANG = Context("dr-a", "doctor", "pat-1", "enc-1")
LI = Context("dr-b", "doctor", "pat-2", "enc-2")


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    shutil.copy(empty_database, tmp_path)
    opened = Store.open(tmp_path / "bedside.db", b"a secret that only the tests use")
    yield opened
    opened.close()


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


def value(document: BillDocument, path: str) -> str:
    where, *row, name = path.split(".")
    cells = document.fields if where == "fields" else document.items[int(row[0])]
    return cells[name].value if name in cells else ""


def needed(bill: Bill, truth: dict[str, str]) -> list[Change]:
    """What a person has to change."""
    return [
        Change(path=path, value=right)
        for path, right in truth.items()
        if value(bill.document, path) != right
    ]


def test_the_second_bill_of_a_new_layout_needs_at_most_half(store: Store, desk: Desk) -> None:
    first = desk.open(WANG, kept(store, WANG, reading(FIRST)))
    before = needed(first, TRUTH[0])
    assert len(before) >= 4
    saved = desk.save(WANG, first.id, Saving(version=1, changes=before))
    assert needed(saved, TRUTH[0]) == []
    second = desk.open(LI, kept(store, LI, reading(SECOND)))
    after = needed(second, TRUTH[1])
    assert len(after) <= len(before) / 2, after
    assert any("以往的更正" in warning for warning in second.document.warnings)
    # What was filled in has its place on the page.
    assert second.document.fields["invoice_number"].box is not None


def test_a_layout_keeps_nothing_of_a_patient(store: Store, desk: Desk) -> None:
    bill = desk.open(WANG, kept(store, WANG, reading(FIRST)))
    desk.save(WANG, bill.id, Saving(version=1, changes=needed(bill, TRUTH[0])))
    with store.database.read() as session:
        (layout,) = session.scalars(select(BillLayoutRow)).all()
    said = str(layout.content)
    assert "就医者" in said
    for secret in ("王小明", "A0012345", "2024-03-05", "45.00"):
        assert secret not in said


def test_a_name_of_its_own_is_no_misreading(store: Store, desk: Desk, tmp_path: Path) -> None:
    entries = [
        Entry(code="D1", name="阿莫西林胶囊", list="a"),
        Entry(code="D3", name="阿莫西木胶囊", list="a"),
    ]
    build(catalogue_path(tmp_path), entries)
    bill = desk.open(WANG, kept(store, WANG, reading(FIRST)))
    change = Change(path="items.0.name", value="阿莫西林胶囊")
    desk.save(WANG, bill.id, Saving(version=1, changes=[change]))
    second = desk.open(LI, kept(store, LI, reading(SECOND)))
    assert value(second.document, "items.1.name") == "阿莫西木胶囊"


def test_two_people_never_overwrite_each_other(store: Store, desk: Desk) -> None:
    bill = desk.open(WANG, kept(store, WANG, reading(FIRST)))
    other = Context("dr-c", "nurse", "pat-1", "enc-1")
    mine = Saving(version=1, changes=[Change(path="fields.total", value="45")])
    theirs = Saving(version=1, changes=[Change(path="fields.total", value="46")])
    name = Saving(version=1, changes=[Change(path="fields.patient", value="王小明")])
    assert desk.save(WANG, bill.id, name).version == 2
    for late in (mine, theirs):
        with pytest.raises(BillChanged, match="第 2 版"):
            desk.save(other, bill.id, late)
    assert value(desk.open(WANG, bill.id).document, "fields.total") == "45.00"
    with store.database.read() as session:
        assert session.scalar(select(func.count()).select_from(BillCorrectionRow)) == 1
    assert store.audit.verify().ok


def test_who_changed_what_and_when_is_kept_and_audited(store: Store, desk: Desk) -> None:
    bill = desk.open(WANG, kept(store, WANG, reading(FIRST)))
    changes = [Change(path="items.0.name", value="阿莫西林胶囊")]
    desk.save(WANG, bill.id, Saving(version=1, changes=changes, accept=True))
    (row,) = store.bills.corrections(WANG, bill.id)
    assert (row.path, row.old, row.new) == ("items.0.name", "阿莫西木胶囊", "阿莫西林胶囊")
    assert (row.actor_id, row.actor_role, row.version) == ("dr-a", "doctor", 2)
    assert desk.open(WANG, bill.id).accepted_by == "dr-a"
    report = store.audit.verify()
    assert report.ok


def test_a_saving_that_fails_keeps_nothing(store: Store, desk: Desk) -> None:
    bill = desk.open(WANG, kept(store, WANG, reading(FIRST)))
    for path, bad in (
        ("fields.total", "四十五元左右"),
        ("fields.date", "昨天"),
        ("items.0.amount", "abc"),
        ("items.9.amount", "1"),
        ("items.0.secret", "1"),
        ("nothing", "1"),
        ("items.0.catalogue_code", "X"),
    ):
        saving = Saving(
            version=1,
            changes=[Change(path="fields.patient", value="王小明"), Change(path=path, value=bad)],
        )
        with pytest.raises(Refused):
            desk.save(WANG, bill.id, saving)
    again = desk.open(WANG, bill.id)
    assert (again.version, value(again.document, "fields.patient")) == (1, "")


def test_a_correction_is_checked_anew(store: Store, desk: Desk) -> None:
    bill = desk.open(WANG, kept(store, WANG, reading(FIRST)))
    wrong = desk.save(
        WANG, bill.id, Saving(version=1, changes=[Change(path="items.0.amount", value="26.00")])
    )
    assert any(not c.passed and "items.0.amount" in c.concerns for c in wrong.document.checks)
    assert "items.0.amount" in wrong.doubts
    # A sum in words is shown in figures, and may be confirmed as it is shown.
    changes = [
        Change(path="items.0.amount", value="25.00"),
        Change(path="fields.total_in_words", value="45.00"),
    ]
    right = desk.save(WANG, bill.id, Saving(version=2, changes=changes))
    assert not {"items.0.amount", "fields.total_in_words"} & set(right.doubts)


def test_rows_are_added_and_taken_away(store: Store, desk: Desk) -> None:
    bill = desk.open(WANG, kept(store, WANG, reading(FIRST)))
    changes = [
        Change(path="items.2.name", value="护理费"),
        Change(path="items.2.amount", value="5.00"),
        Change(path="items.0", value=""),
    ]
    saved = desk.save(WANG, bill.id, Saving(version=1, changes=changes))
    names = [item["name"].value for item in saved.document.items]
    assert names == ["血细胞分忻", "护理费"]


def test_a_chosen_code_is_remembered_for_the_next_bill(
    store: Store, desk: Desk, tmp_path: Path
) -> None:
    entries = [
        Entry(code="S3", name="全血细胞计数加分类", category="甲", limit_price="18", list="a"),
        Entry(code="D1", name="阿莫西林胶囊", specification="0.25g*24粒", category="甲", list="a"),
    ]
    build(catalogue_path(tmp_path), entries)
    bill = desk.open(WANG, kept(store, WANG, reading(FIRST)))
    assert value(bill.document, "items.1.catalogue_code") == ""
    assert "items.1.catalogue_code" in bill.doubts
    change = Change(path="items.1.catalogue_code", value="S3")
    saved = desk.save(WANG, bill.id, Saving(version=1, changes=[change]))
    assert value(saved.document, "items.1.class") == "甲"
    # 20.00 is above the limit of 18, which is told.
    assert any(c.name == "limit_price" and not c.passed for c in saved.document.checks)
    second = desk.open(LI, kept(store, LI, reading(SECOND)))
    assert value(second.document, "items.0.catalogue_code") == "S3"


def test_bills_are_found_by_what_they_say(store: Store, desk: Desk) -> None:
    first = kept(store, WANG, reading(FIRST))
    kept(store, LI, reading(SECOND))
    assert desk.file_new() == 2

    def ids(context: Context, **wanted: object) -> list[str]:
        return [row.id for row in store.bills.search(context, Wanted(**wanted))]  # type: ignore[arg-type]

    assert ids(WANG) == [first]
    assert ids(WANG, hospital="青山县") == [first]
    assert ids(WANG, item="阿莫西", low_cents=4000, high_cents=5000) == [first]
    assert ids(WANG, text="就医者 王小明") == [first]
    assert ids(WANG, item="%") == []
    assert ids(WANG, high_cents=4000) == []
    assert ids(WANG, text="李春花") == []
    everybody = Context("boss", "admin", "")
    assert len(ids(everybody)) == 2
    assert ids(Context("dr-a", "doctor", "")) == []


def test_no_other_patient_sees_a_bill_and_a_purge_takes_all_of_it(store: Store, desk: Desk) -> None:
    bill = desk.open(WANG, kept(store, WANG, reading(FIRST)))
    desk.save(WANG, bill.id, Saving(version=1, changes=needed(bill, TRUTH[0])))
    for stranger in (LI, Context("dr-a", "doctor", "pat-1", "enc-9")):
        with pytest.raises(BillNotFound):
            desk.open(stranger, bill.id)
        with pytest.raises(BillNotFound):
            desk.save(stranger, bill.id, Saving(version=2))
        with pytest.raises(BillNotFound):
            store.bills.corrections(stranger, bill.id)
    store.purge_patient("pat-1", Context.operator("boss", "admin"))
    with store.database.read() as session:
        for table in (BillRow, BillCorrectionRow):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    assert store.audit.verify().ok
