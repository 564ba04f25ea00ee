from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assistant.store import Context, InvalidArgument, Store


def test_a_key_says_whose_it_is(store: Store, clock: Any) -> None:
    key_id, plaintext = store.api_keys.create("cdss", "system", "门诊系统")
    key = store.api_keys.verify(plaintext)
    assert key is not None
    assert (key.id, key.actor_id, key.role, key.label) == (key_id, "cdss", "system", "门诊系统")
    assert key.created_at == clock.now


def test_the_key_itself_is_not_in_the_database(store: Store, path: Path) -> None:
    _, plaintext = store.api_keys.create("cdss", "system", "x")
    secret = plaintext.split("_", 2)[2].encode()
    store.close()
    assert secret not in path.read_bytes()


def test_wrong_keys(store: Store) -> None:
    key_id, plaintext = store.api_keys.create("cdss", "system", "x")
    _, another = store.api_keys.create("cdss", "system", "y")
    mixed = f"bsk_{key_id}_{another.split('_', 2)[2]}"
    for wrong in (
        "",
        "bsk",
        "bsk__",
        plaintext[:-1],
        plaintext + "x",
        plaintext[1:],
        mixed,
        "张三_\ud800_",
    ):
        assert store.api_keys.verify(wrong) is None


def test_a_revoked_key_is_useless_and_stays_listed(store: Store, clock: Any) -> None:
    key_id, plaintext = store.api_keys.create("cdss", "system", "x")
    admin = Context.operator("admin-1")
    assert store.api_keys.revoke(key_id, by=admin)
    assert store.api_keys.verify(plaintext) is None
    assert not store.api_keys.revoke(key_id)
    assert not store.api_keys.revoke("no such key")
    (listed,) = store.api_keys.list()
    assert listed.revoked_at == clock.now
    newest, first = store.audit.list()
    assert (first.action, newest.action, newest.actor_id) == (
        "api_key.create",
        "api_key.revoke",
        "admin-1",
    )


def test_a_key_needs_an_actor(store: Store) -> None:
    with pytest.raises(InvalidArgument):
        store.api_keys.create("", "system", "x")
