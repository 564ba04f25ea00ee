"""What the page 票据识别 says, in both languages."""

from __future__ import annotations

from assistant.tasks.bill_ocr.strings import COLUMNS, FIELDS
from assistant.ui.strings import add

add(
    {
        "bill.patient": ("患者编号", "Patient id"),
        "bill.encounter": ("就诊编号", "Encounter id"),
        "bill.name": ("患者姓名（用于核对）", "Patient's name (to compare)"),
        "bill.choose": ("选择票据文件", "Choose files"),
        "bill.files": ("票据图片或 PDF", "Pictures or PDF of bills"),
        "bill.files.hint": (
            "JPEG、PNG、TIFF、HEIC 或 PDF；多页按次序。",
            "JPEG, PNG, TIFF, HEIC or PDF; pages in their order.",
        ),
        "bill.files.remove": ("清空", "Remove all"),
        "bill.files.failed": ("上传失败：", "Upload failed: "),
        "bill.files.none": ("请先选择票据文件。", "Choose files first."),
        "bill.files.other": (
            "文件属于另一位患者，请清空后重新选择。",
            "The files are of another patient; remove them and choose again.",
        ),
        "bill.run": ("识别", "Read"),
        "bill.idle": (
            "选择票据后点“识别”；或在归档中检索。",
            "Choose files and press Read; or look in the archive.",
        ),
        "bill.title": ("票据", "Bill"),
        "bill.of": ("第 {n} / {all} 张", "{n} of {all}"),
        "bill.doubts": ("{n} 处存疑", "{n} in doubt"),
        "bill.also_read": ("另读作 {values}", "also read as {values}"),
        "bill.no_doubts": ("无存疑", "nothing in doubt"),
        "bill.accepted": ("已确认：{who}", "accepted: {who}"),
        "bill.version": ("第 {n} 版", "version {n}"),
        "bill.fields": ("字段", "Fields"),
        "bill.items": ("明细", "Items"),
        "bill.checks": ("核对", "Checks"),
        "bill.checks.passed": ("通过", "passed"),
        "bill.checks.failed": ("未通过", "failed"),
        "bill.save": ("保存修改", "Save"),
        "bill.accept": ("确认并下一张", "Accept, next"),
        "bill.previous": ("上一张", "Previous"),
        "bill.next": ("下一张", "Next"),
        "bill.row.add": ("加一行", "Add a row"),
        "bill.row.remove": ("删除此行", "Remove this row"),
        "bill.keys": (
            "Tab / Enter / N 下一处存疑，P 上一处，Ctrl+Enter 保存，Ctrl+Shift+Enter 确认",
            "Tab / Enter / N next doubt, P previous, Ctrl+Enter save, Ctrl+Shift+Enter accept",
        ),
        "bill.export": ("下载", "Download"),
        "bill.export.failed": ("下载失败", "The download failed"),
        "bill.picture": ("票据图像", "Picture of the page"),
        "bill.picture.missing": ("无法显示图像", "The picture cannot be shown"),
        "bill.saved": ("已保存。", "Saved."),
        "bill.unsaved": ("您的修改已保留在页面上，请核对后再保存。", "Your changes are kept here."),
        "bill.archive": ("归档检索", "Archive"),
        "bill.archive.hospital": ("医院", "Hospital"),
        "bill.archive.item": ("项目", "Item"),
        "bill.archive.text": ("全文", "Full text"),
        "bill.archive.low": ("金额自", "Amount from"),
        "bill.archive.high": ("金额至", "Amount to"),
        "bill.archive.search": ("检索", "Search"),
        "bill.archive.none": ("没有找到。", "Nothing found."),
        "bill.archive.bad": ("金额应为数字。", "An amount is a number."),
        "bill.kind.outpatient_invoice": ("门诊收费票据", "Outpatient invoice"),
        "bill.kind.inpatient_invoice": ("住院收费票据", "Inpatient invoice"),
        "bill.kind.itemised_list": ("费用清单", "Itemised list"),
        "bill.kind.settlement_sheet": ("结算单", "Settlement sheet"),
        "bill.kind.prescription": ("处方", "Prescription"),
        "bill.kind.laboratory_sheet": ("化验单", "Laboratory sheet"),
        "bill.kind.discharge_record": ("出院记录", "Discharge record"),
        "bill.kind.unknown": ("未知单据", "Unknown"),
    }
)

NAMES: dict[str, tuple[str, str]] = {
    "invoice_code": ("票据代码", "Invoice code"),
    "invoice_number": ("票据号码", "Invoice number"),
    "check_code": ("校验码", "Check code"),
    "date": ("日期", "Date"),
    "hospital": ("医院", "Hospital"),
    "patient": ("姓名", "Patient"),
    "sex": ("性别", "Sex"),
    "age": ("年龄", "Age"),
    "department": ("科室", "Department"),
    "bed": ("床号", "Bed"),
    "inpatient_number": ("住院号", "Inpatient number"),
    "outpatient_number": ("门诊号", "Outpatient number"),
    "insurance_number": ("医保编号", "Insurance number"),
    "insurance_type": ("医保类型", "Insurance"),
    "admitted_on": ("入院日期", "Admitted"),
    "discharged_on": ("出院日期", "Discharged"),
    "days": ("住院天数", "Days"),
    "total": ("合计", "Total"),
    "total_in_words": ("合计（大写）", "Total in words"),
    "fund_paid": ("统筹支付", "Paid by fund"),
    "account_paid": ("个人账户支付", "Paid from account"),
    "self_paid": ("个人自付", "Self-paid"),
    "own_expense": ("个人自费", "Own expense"),
    "cash_paid": ("现金支付", "Cash"),
    "other_paid": ("其他支付", "Other"),
    "deposit": ("预缴金", "Deposit"),
    "refund": ("退费", "Refund"),
    "top_up": ("补缴", "Top-up"),
    "diagnosis": ("诊断", "Diagnosis"),
    "specimen": ("标本", "Specimen"),
    "sampled_at": ("采样时间", "Sampled"),
    "received_at": ("接收时间", "Received"),
    "reported_at": ("报告时间", "Reported"),
    "code": ("编码", "Code"),
    "name": ("名称", "Name"),
    "specification": ("规格", "Specification"),
    "unit": ("单位", "Unit"),
    "quantity": ("数量", "Quantity"),
    "unit_price": ("单价", "Unit price"),
    "amount": ("金额", "Amount"),
    "class": ("等级", "Class"),
    "self_paid_share": ("自付比例", "Self-paid share"),
    "value": ("结果", "Value"),
    "range": ("参考范围", "Range"),
    "flag": ("标志", "Flag"),
    "catalogue_code": ("目录编码", "Catalogue code"),
    "catalogue_name": ("目录名称", "Catalogue name"),
    "limit_price": ("限价", "Limit"),
}
"""Fields and columns."""

CHECKS: dict[str, tuple[str, str]] = {
    "quantity_price": ("数量×单价＝金额", "quantity × price = amount"),
    "subtotals": ("分类小计", "subtotals"),
    "items_total": ("明细之和＝合计", "items = total"),
    "total_words": ("合计＝大写", "total = in words"),
    "funds": ("各项支付＝合计", "funds = total"),
    "patient_share": ("自付与自费＝个人支付", "shares = paid by the patient"),
    "deposit": ("预缴、补缴与退费", "deposit and refund"),
    "dates": ("日期先后", "dates in order"),
    "times": ("时间先后", "times in order"),
    "flags": ("提示与参考范围", "flags and ranges"),
    "qr_number": ("二维码与号码", "QR code and number"),
    "qr_code": ("二维码与代码", "QR code and code"),
    "qr_total": ("二维码与金额", "QR code and total"),
    "qr_date": ("二维码与日期", "QR code and date"),
    "qr_check_code": ("二维码与校验码", "QR code and check code"),
    "complete": ("必有字段", "needed fields"),
    "patient": ("患者姓名", "the patient's name"),
    "limit_price": ("目录限价", "limit price"),
}
"""What was checked, where nothing failed."""


def check_name(name: str, language: str) -> str:
    """A check in the language of the page."""
    zh, en = CHECKS.get(name, (name, name))
    return en if language == "en" else zh


def name_of(field: str, language: str) -> str:
    """A field or column in the language of the page."""
    known = NAMES.get(field) or FIELDS.get(field) or COLUMNS.get(field)
    zh, en = known or (field, field.replace("_", " "))
    return en if language == "en" else zh
