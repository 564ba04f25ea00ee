"""What is waited for before a request is handed to a process."""

from __future__ import annotations

import pytest

from assistant.interop.hooks.processes.request_head import is_enough, is_hook, share_of

HEAD = b"POST /cds-services/x HTTP/1.1\r\nHost: h\r\n"


@pytest.mark.parametrize(
    ("begun", "enough", "hook"),
    [
        (b"POST /cds-serv", False, None),
        (b"GET", True, False),
        (b"POST /v1/discharge HTTP/1.1", True, False),
        (HEAD, False, True),
        (HEAD + b"Content-Length: 30\r\n\r\n", False, True),
        (HEAD + b'content-length:30\r\n\r\n{"patientId" : "p-1"', True, True),
        (HEAD + b"Content-Length: 2\r\n\r\n{}", True, True),
        (HEAD + b"Content-Length: 30\r\nExpect: 100-continue\r\n\r\n", True, True),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", True, True),
        (HEAD + b"X: " + b"y" * 200_000, True, True),
    ],
)
def test_a_request_is_waited_for_until_its_patient_is_told(
    begun: bytes, enough: bool, hook: bool | None
) -> None:
    assert (is_enough(begun), is_hook(begun)) == (enough, hook)


def test_a_patient_s_calls_are_one_process_s() -> None:
    first, other = HEAD + b'{"patientId": "pat-1"', b'{"x": 1, "patientId":"pat-1"}'
    assert share_of(first, 7) == share_of(other, 7) is not None
    assert share_of(HEAD, 7) is None
