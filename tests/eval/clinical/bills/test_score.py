"""What counts as right, as wrong, and as told."""

from __future__ import annotations

from assistant.tasks.bill_ocr.document import BillDocument, Cell, Check, DocumentKind
from eval.clinical.bills.score import align, characters, score
from serving.ocr.line import TextLine


def bill(total: str = "3.00", *amounts: str, doubt: str = "") -> BillDocument:
    return BillDocument(
        kind=DocumentKind.OUTPATIENT_INVOICE,
        fields={"total": Cell(value=total, doubt=doubt), "patient": Cell(value="张三")},
        items=[{"name": Cell(value=f"项目{n}"), "amount": Cell(value=a)}
               for n, a in enumerate(amounts or ("1.00", "2.00"))],
    )  # fmt: skip


def test_the_truth_itself_is_all_right() -> None:
    found = score([bill()], [bill()])
    assert (found.fields_right, found.fields_truth, found.fields_read) == (6, 6, 6)
    assert (found.amounts_right, found.amounts, found.wrong) == (3, 3, [])


def test_a_wrong_amount_is_unflagged_until_something_tells_of_it() -> None:
    assert [w.path for w in score([bill()], [bill("8.00")]).unflagged] == ["fields.total"]
    assert score([bill()], [bill("8.00", doubt="?")]).unflagged == []
    told = bill("8.00")
    told.checks = [Check(name="items_total", passed=False, concerns=["fields.total"])]
    assert score([bill()], [told]).unflagged == []


def test_a_lost_row_counts_and_is_told_by_the_sum() -> None:
    lost = bill("3.00", "1.00")
    found = score([bill()], [lost])
    assert [w.path for w in found.unflagged] == ["items.lost1.amount"]
    lost.checks = [Check(name="items_total", passed=False)]
    assert score([bill()], [lost]).unflagged == []


def test_rows_are_aligned_by_what_they_say() -> None:
    truth, read = bill("6.00", "1.00", "2.00", "3.00"), bill("6.00", "1.00", "2.00", "3.00")
    del read.items[1]
    assert align(truth.items, read.items) == [(0, 0), (1, None), (2, 1)]


def test_characters_are_dealt_by_place() -> None:
    def line(text: str, x: float) -> TextLine:
        ends = tuple(20.0 * (i + 1) for i in range(len(text)))
        return TextLine(text, ((x, 0), (x + ends[-1], 0), (x + ends[-1], 20), (x, 20)), 1.0, ends)

    truth = [line("姓名", 0), line("张三", 100)]
    assert characters(truth, truth) == (4, 0)
    assert characters(truth, [line("姓名", 0), line("张二", 100)]) == (4, 1)
    assert characters(truth, [line("张三", 100)]) == (4, 2)


def test_a_value_keeps_its_first_figure_where_it_is_read_in_one_line_with_its_label() -> None:
    def line(text: str, x: float, width: float, ends: tuple[float, ...]) -> TextLine:
        return TextLine(text, ((x, 0), (x + width, 0), (x + width, 20), (x, 20)), 1.0, ends)

    # The network tells where a character ends; the gap before the first figure is not told.
    label = line("床号:", 0, 50, (20, 40, 50))
    value = TextLine("27", ((60, 0), (80, 0), (80, 20), (60, 20)), 1.0, (10, 20))
    read = line("床号：27", 0, 80, (20, 40, 56, 70, 80))
    assert characters([label, value], [read]) == (5, 0)
