from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.store import InvalidArgument, content_hash
from assistant.store.keyed_hash import KeyedHash, canonical_json

SECRET = b"0123456789abcdef"


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="16 bytes"):
        KeyedHash(b"short")


def test_the_same_value_hashes_differently_by_purpose_and_secret() -> None:
    one, two = KeyedHash(SECRET), KeyedHash(SECRET[::-1])
    hashes = {one.patient("1"), one.encounter("1"), one.content("1"), one.body("1")}
    assert len(hashes | {two.patient("1")}) == 5


def test_nobody_has_no_reference() -> None:
    assert KeyedHash(SECRET).patient("") == ""
    assert KeyedHash(SECRET).encounter("") == ""


def test_the_order_of_keys_does_not_matter() -> None:
    assert content_hash({"a": 1, "b": [2]}) == content_hash({"b": [2], "a": 1})
    assert content_hash({"a": 1}) != content_hash({"a": "1"})


@given(st.text(st.characters()))
def test_any_text_can_be_hashed(text: str) -> None:
    assert len(content_hash({"text": text})) == 64


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(InvalidArgument, match="JSON"):
        canonical_json(value)
