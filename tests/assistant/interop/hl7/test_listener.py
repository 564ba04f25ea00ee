"""Messages over TCP: kept before they are acknowledged, once, whatever the connection does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import hl7
import hl7_samples as made
import pytest
from hl7.client import MLLPClient

from assistant.interop.arrival import Arrival
from assistant.interop.handing import encounter_now, hand_on
from assistant.interop.hl7.mllp import Frames, framed
from assistant.interop.hl7.receiver import Receiver
from assistant.interop.hl7.sending import send
from assistant.store import Context, Store

WBC = "OBX|1|NM|WBC^白细胞计数||13.2|10*9/L|3.5-9.5|H|||F"
STAY = Context("doc-1", "doctor", "p1", "e1")


def answered(receiver: Receiver, text: str, codec: str = "utf-8") -> tuple[str, str]:
    """(code, control id) of the ACK, as another library reads it."""
    ack = hl7.parse(receiver.receive(text.encode(codec)).decode(codec))
    return str(ack.segment("MSA")[1]), str(ack.segment("MSA")[2])


def test_a_client_that_nobody_here_wrote_sends_and_is_answered(port: int, store: Store) -> None:
    with MLLPClient("127.0.0.1", port) as client:
        for codec in ("utf-8", "gb18030"):
            data = made.message(control=codec).encode(codec)
            ack = client.send(framed(data))
            assert f"MSA|AA|{codec}".encode() in ack
    rows = store.messages.of_stay(STAY)
    assert [row.control_id for row in rows] == ["utf-8", "gb18030"]
    assert all("测试^甲" in row.content for row in rows)


def test_halves_and_several_in_one_packet(port: int) -> None:
    stream = b"".join(framed(made.message(control=str(n)).encode()) for n in range(3))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(stream[:100])
        time.sleep(0.1)
        connection.sendall(stream[100:])
        frames, answers = Frames(), []
        while len(answers) < 3:
            answers += frames.feed(connection.recv(4096))
    codes = [str(hl7.parse(a.decode()).segment("MSA")[2]) for a in answers]
    assert codes == ["0", "1", "2"]


def test_a_half_frame_and_an_endless_one_close_their_connection_alone(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as half:
        half.sendall(b"\x0bMSH|^~\\&|")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as endless:
            endless.sendall(b"\x0b")
            with pytest.raises(ConnectionError):  # noqa: PT012 - at some write
                for _ in range(500):
                    endless.sendall(b"x" * 65_536)
                    time.sleep(0.001)
        assert send("127.0.0.1", port, made.message().encode()) == ("AA", "")
        assert half.recv(100) == b""


def test_a_message_sent_again_is_acknowledged_without_a_second_effect(
    receiver: Receiver, store: Store
) -> None:
    text = made.message()
    again = text.replace("|BEDSIDE||20260305080000|", "|BEDSIDE||20260305080130|")
    assert again != text
    assert [answered(receiver, one) for one in (text, text, again)] == [("AA", "1")] * 3
    assert len(store.messages.of_stay(STAY)) == 1
    other = text.replace("呼吸内科", "心内科")
    assert answered(receiver, other)[0] == "AE", "another message under the same number"
    later = made.message(time="20260405080000").replace("呼吸内科", "心内科")
    assert answered(receiver, later)[0] == "AA", "a sender that counts anew"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("rubbish", "AR"),
        (made.message("ORM^O01"), "AR"),
        (made.message("ADT^A99"), "AR"),
        (made.message().replace("|P|2.5.1", "|T|2.5.1"), "AR"),
        (made.message(control=""), "AR"),
        (made.message(time="yesterday"), "AR"),
        (made.message(patient=""), "AE"),
        (made.message(patient="../x"), "AE"),
        (made.message(stay=""), "AE"),
        (made.message("ADT^A40", "MRG|p1"), "AE"),
    ],
)
def test_what_is_not_taken_is_said(receiver: Receiver, store: Store, text: str, code: str) -> None:
    assert answered(receiver, text)[0] == code
    assert store.messages.of_stay(STAY) == []


def test_only_registered_senders(store: Store) -> None:
    receiver = Receiver(store, senders=["HIS|总院"])
    assert answered(receiver, made.message())[0] == "AA"
    assert answered(receiver, made.message(sender="X"))[0] == "AR"


def test_events_out_of_the_messages(receiver: Receiver, store: Store) -> None:
    for text in (
        made.message(),
        made.result(WBC),
        made.document("主诉：咳嗽。"),
        made.message("ADT^A03", control="9", time="20260310103000"),
        made.result(WBC.replace("||F", "||P"), control="r9", time="20260306080000"),
    ):
        assert answered(receiver, text)[0] == "AA"
    came: list[Arrival] = []
    assert hand_on(store, came.append) == 5
    # The admission was overtaken by the discharge before it was handed on.
    assert [a.kind for a in came] == [
        "encounter.changed",
        "result.final",
        "note.saved",
        "encounter.discharge",
        "encounter.changed",
    ]
    assert came[0].encounter.observations
    assert came[2].note is not None
    assert came[2].note.text == "主诉：咳嗽。"
    assert hand_on(store, came.append) == 0


def test_an_event_that_fails_is_handed_on_again_with_the_same_id(
    receiver: Receiver, store: Store
) -> None:
    answered(receiver, made.message())
    answered(receiver, made.result(WBC))
    came: list[Arrival] = []

    def failing_once(arrival: Arrival) -> None:
        came.append(arrival)
        if len(came) == 1:
            raise RuntimeError

    assert hand_on(store, failing_once) == 1
    assert hand_on(store, failing_once) == 1
    assert came[0].message_id == came[2].message_id
    assert [a.kind for a in came] == ["encounter.start", "result.final", "encounter.start"]


def test_nobody_sees_another_stay_and_a_merge_moves_the_messages(
    receiver: Receiver, store: Store
) -> None:
    answered(receiver, made.message(patient="p0"))
    assert encounter_now(store, STAY) is None
    assert encounter_now(store, Context("d", "doctor", "p0", "e2")) is None
    merge = made.message("ADT^A40", "MRG|p0^^^H^PI", control="2", time="20260306080000", stay="")
    assert answered(receiver, merge)[0] == "AA"
    found = encounter_now(store, STAY)
    assert found is not None
    assert found.patient.id == "p1"
    assert store.audit.verify().ok


def test_a_purge_takes_the_messages(receiver: Receiver, store: Store) -> None:
    answered(receiver, made.message())
    assert store.purge_patient("p1", STAY).messages == 1
    assert store.messages.of_stay(STAY) == []


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, free_port: int) -> None:
    environment = {**os.environ, "BEDSIDE_HOME": str(tmp_path), "BEDSIDE_SECRET": "s" * 32}
    command = [sys.executable, "-m", "assistant.cli", "hl7", "listen", "--port", str(free_port)]
    process = subprocess.Popen(
        command, env=environment, cwd=Path(__file__).parents[4], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert "listening" in process.stderr.readline()
        codes = [
            send("127.0.0.1", free_port, made.message(control=str(n)).encode())[0] for n in range(5)
        ]
        assert codes == ["AA"] * 5
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stderr.close()
    store = Store.open(tmp_path / "bedside.db", b"s" * 32)
    assert len(store.messages.of_stay(STAY)) == 5
    assert store.audit.verify().ok
    store.close()
