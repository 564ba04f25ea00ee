"""What a user's choice of precision means for each kind of weight."""

from __future__ import annotations

from typing import Any

import pytest

from serving.ir.formats import OptionInvalid, Precision
from serving.ir.scheme import Scheme


def test_the_default_is_int4_in_groups_with_the_outer_layers_in_int8() -> None:
    chosen = Precision()
    assert chosen.linear(4096) == Scheme(4, 128, symmetric=False)
    assert chosen.head_form(4096) == chosen.embedding_form(4096) == Scheme(8)


@pytest.mark.parametrize(
    ("group", "columns", "expected"),
    [(128, 4096, 128), (128, 96, 32), (128, 192, 64), (64, 256, 64), (128, 70, 0), (0, 256, 0)],
)
def test_the_widest_group_that_divides_the_row_is_taken(
    group: int, columns: int, expected: int
) -> None:
    assert Precision(group=group).linear(columns) == Scheme(4, expected, symmetric=False)


@pytest.mark.parametrize(("kind", "stored"), [("fp32", "f32"), ("fp16", "f16"), ("bf16", "bf16")])
def test_other_precisions_hold_for_every_weight(kind: Any, stored: str) -> None:
    chosen = Precision(kind, head="int4", embedding="int4")
    forms = {chosen.linear(64), chosen.head_form(64), chosen.embedding_form(64)}
    assert forms == {stored}


def test_head_and_embedding_can_differ_where_weights_are_int4() -> None:
    chosen = Precision(symmetric=False, group=32, head="int4", embedding="fp16")
    assert chosen.head_form(64) == Scheme(4, 32, symmetric=False)
    assert chosen.embedding_form(64) == "f16"
    assert Precision("int8", embedding="fp16").embedding_form(64) == Scheme(8)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"group": 48}, "48"),
        ({"int8_share": 1.5}, "1.5"),
        ({"int8_share": float("nan")}, "nan"),
        ({"weights": "int3"}, "int3"),
        ({"head": "q4_0"}, "q4_0"),
    ],
)
def test_a_choice_that_is_none_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(OptionInvalid, match=named):
        Precision(**options)


def test_the_words_tell_what_matters_and_no_more() -> None:
    assert Precision("fp16").words() == {"weights": "fp16"}
    said = Precision(group=0, symmetric=False, int8_share=0.25).words()
    assert said == {
        "weights": "int4",
        "group": "channel",
        "codes": "asymmetric",
        "head": "int8",
        "embedding": "int8",
        "int8_share": "0.25",
    }
