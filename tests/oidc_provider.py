"""A small FHIR server's log-in on loopback: SMART configuration, OpenID Connect, PKCE, refresh.

What it says of the next tokens can be changed by a test: other keys, claims, or a forged header.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass
class Provider:
    """The log-in's state, and what the tests change of it."""

    base: str = ""
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    kid: str = "k1"
    claims: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    signer: Any = None
    methods: list[str] = field(default_factory=lambda: ["S256"])
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refreshed: int = 0

    def authorize(self, query: dict[str, str]) -> str:
        """The address that the browser is sent back to, the doctor having logged in."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def tokens(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The answer of the token endpoint."""
        if form["grant_type"] == "refresh_token":
            self.refreshed += 1
            return 200, {"access_token": "a2", "expires_in": 300, **self.answer}
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        found = {
            "access_token": "a1",
            "token_type": "Bearer",
            "expires_in": 300,
            "refresh_token": "r1",
            "patient": "pat-1",
            "encounter": "enc-1",
            "id_token": self.id_token(asked),
        }
        return 200, {**found, **self.answer}

    def id_token(self, asked: dict[str, str]) -> str:
        """A signed token with the claims of this moment."""
        now = int(time.time())
        claims = {
            "iss": self.base,
            "aud": asked["client_id"],
            "sub": "u-7",
            "fhirUser": f"{self.base}/Practitioner/doc-7",
            "roles": ["physician"],
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            **self.claims,
        }
        signer = self.key if self.signer is None else self.signer
        return jwt.encode(
            {k: v for k, v in claims.items() if v is not None},
            signer if self.algorithm != "none" else None,
            self.algorithm,
            headers={"kid": self.kid},
        )

    def document(self, path: str) -> dict[str, Any] | None:
        """What is at an address."""
        places = {
            "issuer": self.base,
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "jwks_uri": f"{self.base}/jwks",
            "end_session_endpoint": f"{self.base}/bye",
            "code_challenge_methods_supported": self.methods,
        }
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {
            "/.well-known/smart-configuration": places,
            "/jwks": {"keys": [{**public, "kid": self.kid, "use": "sig"}]},
        }.get(path)


@contextmanager
def running() -> Iterator[Provider]:
    """The provider on a port of its own."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, provider.document(urlsplit(self.path).path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(*provider.tokens({k: v[0] for k, v in parse_qs(body).items()}))

        def _answer(self, status: int, found: dict[str, Any] | None) -> None:
            data = json.dumps(found or {}).encode()
            self.send_response(status if found is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield provider
    server.shutdown()
    server.server_close()
    thread.join(10)
