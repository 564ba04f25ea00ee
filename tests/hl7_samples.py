"""HL7 v2 messages of a small hospital, made for tests."""

from __future__ import annotations


def message(
    kind: str = "ADT^A01",
    *segments: str,
    control: str = "1",
    time: str = "20260305080000",
    charset: str = "UNICODE UTF-8",
    patient: str = "p1",
    stay: str = "e1",
    sender: str = "HIS",
) -> str:
    """A message with MSH, PID and PV1 before ``segments``."""
    trigger = kind.partition("^")[2]
    return "\r".join(
        (
            f"MSH|^~\\&|{sender}|总院|BEDSIDE||{time}||{kind}|{control}|P|2.5.1||||||{charset}",
            f"EVN|{trigger}|{time}",
            f"PID|1||{patient}^^^H^PI||测试^甲||19700203|F",
            f"PV1|1|I|呼吸二病区^3^12|||||||呼吸内科|||||||||{stay}",
            *segments,
            "",
        )
    )


def result(
    *observed: str,
    control: str = "r1",
    time: str = "20260305093000",
    charset: str = "UNICODE UTF-8",
) -> str:
    """An ORU^R01 with one order."""
    return message(
        "ORU^R01",
        "ORC|RE|P100|F100",
        "OBR|1|P100|F100|XCG^血常规|||20260305090000",
        *observed,
        control=control,
        time=time,
        charset=charset,
    )


def document(text: str, *, control: str = "d1", trigger: str = "T02", **header: str) -> str:
    """An MDM with one document, whose fields of TXA are given by their names."""
    fields = {"type": "HP^入院记录", "number": "DOC1", "parent": "", "state": "AU", "there": "AV"}
    fields |= {k: v for k, v in header.items() if k in fields}
    # TXA-12, -13, -17 and -19 by their place.
    parts = ["TXA", "1", fields["type"], "TX", "20260305100000", "", "", "", "", "D7^测试^医师"]
    parts += ["", "", fields["number"], fields["parent"], "", "", "", fields["state"], ""]
    parts += [fields["there"]]
    txa = "|".join(parts)
    observed = f"OBX|1|TX|NOTE^入院记录||{text}||||||F"
    return message(
        f"MDM^{trigger}", txa, observed, control=control, time=header.get("time", "20260305100500")
    )
