"""A server with OpenAI's API whose model says what a script has, and remembers what it was told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Turn = dict[str, Any]


def called(*calls: tuple[str, Any]) -> Turn:
    """A turn that calls tools; arguments are an object, or a text as it is."""
    return {
        "tool_calls": [
            {
                "index": at,
                "id": f"c{at}",
                "function": {
                    "name": name,
                    "arguments": given
                    if isinstance(given, str)
                    else json.dumps(given, ensure_ascii=False),
                },
            }
            for at, (name, given) in enumerate(calls)
        ]
    }


def said(text: str) -> Turn:
    """A turn of words."""
    return {"content": text}


class Script:
    """One turn a request; the last one again where there are more requests."""

    def __init__(self, *turns: Turn, takes_tools: bool = True) -> None:
        self.turns = turns
        self.takes_tools = takes_tools
        self.asked: list[dict[str, Any]] = []

    def told(self) -> list[str]:
        """What the model was told of its tools' results."""
        return [m["content"] for m in self.asked[-1]["messages"] if m["role"] == "tool"]

    def answer(self, body: dict[str, Any]) -> tuple[int, str]:
        """Status and body."""
        if body.get("tools") and not self.takes_tools:
            return 400, json.dumps({"error": {"code": "unsupported"}})
        delta = self.turns[min(len(self.asked), len(self.turns) - 1)]
        self.asked.append(body)
        reason = "tool_calls" if "tool_calls" in delta else "stop"
        events = [{"delta": delta}, {"delta": {}, "finish_reason": reason}]
        lines = [json.dumps({"choices": [{"index": 0, **one}]}) for one in events]
        return 200, "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """The address of a server that follows the script, while it is open."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            status, text = script.answer(json.loads(self.rfile.read(length)))
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
