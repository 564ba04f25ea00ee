"""Who calls: tokens that a client signed for this service, and everything that is none."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fhir_standin import call
from loopback_server import Served, served
from starlette.testclient import TestClient

from assistant.interop.hooks import keys as client_keys
from assistant.interop.hooks.charts import Charts
from assistant.interop.hooks.saved_notes import SavedNotes
from assistant.interop.settings import HookClient, HookSettings

BASE = "https://bedside.example"
VIEW = "/cds-services/bedside-patient-view"
ISSUER = "https://emr.example"

EC_KEY = ec.generate_private_key(ec.SECP384R1())
OTHER_KEY = ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public(key: Any, key_id: str, algorithm: str) -> dict[str, Any]:
    kind = jwt.algorithms.ECAlgorithm if algorithm[0] == "E" else jwt.algorithms.RSAAlgorithm
    jwk: dict[str, Any] = json.loads(kind.to_jwk(key.public_key()))
    return jwk | {"kid": key_id, "alg": algorithm}


KEYS = [public(EC_KEY, "ec", "ES384"), public(RSA_KEY, "rsa", "RS384")]


def token(
    key: Any = EC_KEY,
    algorithm: str = "ES384",
    key_id: str = "ec",
    header: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": f"{BASE}{VIEW}",
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
    }
    claims = {k: v for k, v in (claims | changes).items() if v is not None}
    return jwt.encode(claims, key, algorithm, headers={"kid": key_id, **(header or {})})


@pytest.fixture(scope="module")
def client(serve: Callable[[HookSettings], TestClient]) -> TestClient:
    own = HookClient(name="emr", issuer=ISSUER, keys=KEYS)
    return serve(HookSettings(base_url=BASE, clients=[own], card_seconds=60))


@pytest.fixture
def address_of_keys(client: TestClient) -> Iterator[Callable[[str], None]]:
    """Has the client's keys read from an address, as long as the test runs."""
    settings = client.app.state.services.settings  # type: ignore[attr-defined]
    before = list(settings.hooks.clients)

    def read_from(address: str) -> None:
        settings.hooks.clients[:] = [HookClient(name="emr", issuer=ISSUER, jwks_url=address)]

    yield read_from
    settings.hooks.clients[:] = before


def post(client: TestClient, given: str, path: str = VIEW) -> Any:
    body = call("patient-view")
    return client.post(path, json=body, headers={"Authorization": f"Bearer {given}"})


def unsigned(**changes: Any) -> str:
    """A token whose algorithm is none."""
    head, body, _ = token(**changes).split(".")
    told = json.dumps({"alg": "none", "typ": "JWT", "kid": "ec"}).encode()
    head = base64.urlsafe_b64encode(told).rstrip(b"=").decode()
    return f"{head}.{body}."


def test_a_client_that_signs_is_answered_and_audited(client: TestClient) -> None:
    assert post(client, token()).status_code == 200
    assert post(client, token(RSA_KEY, "RS384", "rsa")).status_code == 200
    store = client.app.state.services.store  # type: ignore[attr-defined]
    assert "app:emr" in {row.object_type for row in store.audit.list(limit=100)}


def test_a_token_is_taken_once(client: TestClient) -> None:
    given = token()
    assert [post(client, given).status_code for _ in range(3)] == [200, 401, 401]


def test_a_token_of_a_call_that_is_refused_was_used_too(client: TestClient) -> None:
    headers = {"Authorization": f"Bearer {token()}"}
    bodies = ({"hook": "patient-view"}, {"hook": "patient-view"}, call("patient-view"))
    answers = [client.post(VIEW, json=body, headers=headers).status_code for body in bodies]
    assert answers == [400, 401, 401]


def test_a_token_that_comes_again_puts_no_note_in_the_place_of_another(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = SavedNotes.ask

    def counted(self: SavedNotes, stay: Any, note_id: str, work: Any) -> Any:
        asked.append(note_id)
        return ask(self, stay, note_id, work)

    monkeypatch.setattr(SavedNotes, "ask", counted)
    path = "/cds-services/bedside-note-save"
    headers = {"Authorization": f"Bearer {token(aud=f'{BASE}{path}')}"}
    saved = {"noteType": "progress", "noteId": "n9", "noteText": "患者李雷，女，60岁。"}
    body = call("bedside.note-save", **saved)
    answers = [client.post(path, json=body, headers=headers).status_code for _ in range(2)]
    assert (answers, asked) == ([200, 401], ["n9"])


def test_a_token_of_a_call_that_fails_was_used_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = token()
    with monkeypatch.context() as patch:
        patch.setattr(Charts, "record", lambda *given: 1 / 0)
        assert post(client, given).status_code == 500
    assert post(client, given).status_code == 401


def _hmac_with_the_public_key() -> str:
    # What a verifier that takes any algorithm would accept: the public key as a secret.
    secret = json.dumps(KEYS[0]).encode() * 2
    return jwt.encode({"iss": ISSUER}, secret, "HS256", headers={"kid": "ec"})


def test_forged_expired_and_swapped_tokens_are_refused(client: TestClient) -> None:
    now = int(time.time())
    wrong = [
        unsigned(),
        _hmac_with_the_public_key(),
        token(OTHER_KEY),
        token(RSA_KEY, "RS256", "rsa"),
        token(key_id="unknown"),
        token(aud=f"{BASE}/cds-services/bedside-order-sign"),
        token(aud="https://other.example"),
        token(iss="https://evil.example"),
        token(iat=now - 900, exp=now - 600),
        token(exp=now + 86_400),
        token(iat=now + 600, exp=now + 900),
        token(jti=None),
        token(jti=""),
        token(exp=None),
        token(iat=None),
        token(aud=None),
        token(header={"jku": "https://evil.example/keys"}),
        token(header={"crit": ["exp"]}),
        token()[:-4] + "AAAA",
        "x.y.z",
        "",
        "a" * 20_000,
    ]
    for given in wrong:
        answer = post(client, given)
        assert answer.status_code == 401, given[:60]
        assert answer.json()["detail"] == "未通过身份验证。(Not authorized.)", "no hint"


def test_a_token_of_one_service_is_none_of_another(client: TestClient) -> None:
    assert post(client, token(), "/cds-services/bedside-order-sign").status_code == 401


def test_keys_of_a_client_are_its_own_public_ones() -> None:
    private = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(EC_KEY))
    for keys in ([private], [{"kty": "oct", "k": "AAAA"}], []):
        with pytest.raises(ValueError, match="emr"):
            HookClient(name="emr", issuer=ISSUER, keys=keys)


class Keys:
    """A server of keys that counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.keys = KEYS[:1]

    def __call__(self, path: str, headers: Any) -> Served:
        self.asked += 1
        return Served(json.dumps({"keys": self.keys}).encode())


def test_keys_are_read_from_the_clients_address_and_kept(
    client: TestClient,
    address_of_keys: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = Keys()
    with served(keys) as address:
        jwks = f"{address}/keys"
        address_of_keys(jwks)
        assert post(client, token(header={"jku": jwks})).status_code == 200
        assert post(client, token()).status_code == 200
        assert keys.asked == 1
        rotated = token(RSA_KEY, "RS384", "rsa")
        for _ in range(5):
            assert post(client, rotated).status_code == 401
        assert keys.asked == 1, "unknown keys make no traffic"
        monkeypatch.setattr(client_keys, "AGAIN_SECONDS", 0.0)
        keys.keys = KEYS
        assert post(client, rotated).status_code == 200
        assert keys.asked == 2


@pytest.mark.parametrize(
    "answer",
    [Served(b"no json"), Served(b"[]"), Served(b'{"keys": [1, null]}'), Served(b"", status=500),
     Served(b"", status=302, headers={"Location": "http://127.0.0.1:1/keys"}),
     Served(b" " * 300_000)],
)  # fmt: skip
def test_a_bad_answer_for_keys_is_401(
    client: TestClient, address_of_keys: Callable[[str], None], answer: Served
) -> None:
    with served(lambda path, headers: answer) as address:
        address_of_keys(address)
        assert post(client, token()).status_code == 401
