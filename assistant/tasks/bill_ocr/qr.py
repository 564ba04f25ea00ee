"""The square code of an electronic medical bill (财政电子票据), the second source of its numbers.

Its text is ``01,kind,code,number,amount,YYYYMMDD,check code`` (some issue an empty part for the
amount); anything else in a code is left alone.
"""

from __future__ import annotations

import re
from typing import Any

from assistant.tasks.bill_ocr.values import decimal_of, money, read_value

_PARTS = 7


def read_codes(image: Any) -> list[str]:
    """The texts of the square codes of a picture (uint8, height × width × 3)."""
    import zxingcpp

    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in found]


def bill_of(text: str) -> dict[str, str] | None:
    """The fields that a code says; None where it is of no bill."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < _PARTS or parts[0] != "01" or not re.fullmatch(r"\d{4,20}", parts[3]):
        return None
    amount, day = decimal_of(parts[4]), read_value("date", parts[5])
    fields = {
        "invoice_code": parts[2],
        "invoice_number": parts[3],
        "total": money(amount) if amount is not None else "",
        "date": day.value if day is not None else "",
        "check_code": parts[6],
    }
    return {name: value for name, value in fields.items() if value}
