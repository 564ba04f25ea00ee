"""What the integrator's guide gives to copy works as it stands there."""

from __future__ import annotations

import re
import threading
import time
import tomllib
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant.interop.embed.delivery import signature
from assistant.settings import Settings

DOCS = Path(__file__).parents[4] / "docs"
GUIDES = ("integration.md", "integration.zh-CN.md")
SECRET = "bedside-sandbox-secret"


def blocks(guide: str, language: str) -> list[str]:
    found = re.findall(
        rf"^( *)```{language}\n(.*?)^ *```", (DOCS / guide).read_text("utf-8"), re.M | re.S
    )
    return [re.sub(rf"^{indent}", "", text, flags=re.M) for indent, text in found]


@pytest.mark.parametrize("guide", GUIDES)
def test_the_settings_are_taken(guide: str, tmp_path: Path) -> None:
    told = [tomllib.loads(text) for text in blocks(guide, "toml")]
    assert len(told) == 2
    settings = Settings(home=tmp_path, **{k: v for one in told for k, v in one.items()})
    assert settings.embed.webhook.secret.get_secret_value() == SECRET
    assert settings.smart.roles["nurse"] == "nurse"


@pytest.mark.parametrize("guide", GUIDES)
def test_the_receiver_takes_what_is_signed_and_nothing_else(guide: str) -> None:
    (code,) = blocks(guide, "python")
    names: dict[str, Any] = {"__name__": "guide"}
    # The code is the guide's own, which stands in this repository.
    exec(code, names)
    names["Receiver"].log_message = lambda *_: None
    server = HTTPServer(("127.0.0.1", 0), names["Receiver"])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    body = '{"text": "出院医嘱"}'.encode()

    def post(secret: str = SECRET, at: int = 0, sent: bytes = body) -> int:
        stamp = str(int(time.time()) + at)
        headers = {
            "X-Bedside-Timestamp": stamp,
            "X-Bedside-Signature": signature(secret, stamp, body),
            "Idempotency-Key": "m-1",
        }
        address = f"http://127.0.0.1:{server.server_port}/"
        return httpx.post(address, content=sent, headers=headers, trust_env=False).status_code

    assert post("another secret, long enough") == 401
    assert post(at=-3600) == 401
    assert post(sent=body + b" ") == 401
    assert names["taken"] == {}
    assert [post(), post()] == [204, 204]
    assert names["taken"] == {"m-1": {"text": "出院医嘱"}}
    server.shutdown()
    server.server_close()
    thread.join()
