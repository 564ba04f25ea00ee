"""Two patients' bills of a layout whose labels nobody knows, as a reader of print gives them."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.store import Context, Store
from assistant.tasks.bill_ocr.draft import BillReading
from assistant.tasks.bill_ocr.page import ReadPage
from assistant.tasks.bill_ocr.page_line import page_lines
from assistant.tasks.bill_ocr.reading import read_pages
from serving.ocr.line import TextLine

Rows = Sequence[Sequence[tuple[float, str]]]
HEADER = [(40, "项目名称"), (300, "规格"), (480, "数量"), (580, "单价"), (700, "金额")]

FIRST: Rows = [
    [(200, "青山县人民医院门诊收费票据")],
    [(40, "凭单流水"), (160, "A0012345"), (480, "就医者"), (580, "王小明")],
    [(40, "缴讫日"), (160, "2024-03-05"), (480, "参保种别"), (620, "城乡居民")],
    HEADER,
    [(40, "阿莫西木胶囊"), (300, "0.25g*24粒"), (480, "2"), (580, "12.50"), (700, "25.00")],
    [(40, "血细胞分忻"), (480, "1"), (580, "20.00"), (700, "20.00")],
    [(40, "合计"), (700, "45.00")],
]
SECOND: Rows = [
    [(200, "青山县人民医院门诊收费票据")],
    [(40, "凭单流水"), (160, "A0099887"), (480, "就医者"), (580, "李春花")],
    [(40, "缴讫日"), (160, "2024-04-11"), (480, "参保种别"), (620, "城镇职工")],
    HEADER,
    [(40, "血细胞分忻"), (480, "1"), (580, "20.00"), (700, "20.00")],
    [(40, "阿莫西木胶囊"), (300, "0.25g*24粒"), (480, "1"), (580, "12.50"), (700, "12.50")],
    [(40, "合计"), (700, "32.50")],
]
TRUTH = (
    {
        "fields.invoice_number": "A0012345",
        "fields.patient": "王小明",
        "fields.date": "2024-03-05",
        "fields.insurance_type": "城乡居民",
        "items.0.name": "阿莫西林胶囊",
        "items.1.name": "血细胞分析",
    },
    {
        "fields.invoice_number": "A0099887",
        "fields.patient": "李春花",
        "fields.date": "2024-04-11",
        "fields.insurance_type": "城镇职工",
        "items.0.name": "血细胞分析",
        "items.1.name": "阿莫西林胶囊",
    },
)


def line(text: str, x: float, y: float, height: float = 20.0) -> TextLine:
    """A line of print, its characters as wide as they are in a Chinese font."""
    widths = [height if ord(character) > 0x2E7F else height / 2 for character in text]
    ends = tuple(sum(widths[: i + 1]) for i in range(len(text)))
    right, bottom = x + ends[-1], y + height
    return TextLine(text, ((x, y), (right, y), (right, bottom), (x, bottom)), 0.99, ends)


def reading(rows: Rows, attachments: Sequence[str] = ()) -> BillReading:
    """What is read of a page with these rows of (x, text)."""
    lines = [line(text, x, 40.0 * n) for n, row in enumerate(rows) for x, text in row]
    page = ReadPage(1, lines)
    (document,) = read_pages([page])
    return BillReading(
        document=document, file="a.png", attachments=list(attachments), lines=page_lines([page])
    )


def kept(store: Store, context: Context, made: BillReading) -> str:
    """The id under which the store has this reading."""
    request = store.requests.submit(context, "bill", {"n": made.file, "t": made.plain_text()}, "0")
    draft = store.drafts.add(
        context,
        request.id,
        "bill",
        "read",
        "1",
        {"draft": made.model_dump(mode="json"), "text": made.plain_text()},
        record_hash="0",
        model="",
        prompt_version="",
        knowledge_version="",
    )
    return draft.id
