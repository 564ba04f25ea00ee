"""Tokens come as often as their probabilities say, and only from those that are kept."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import openvino_genai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.engine import Sampling
from serving.engines.openvino.generation_config import generation_config
from serving.engines.openvino.token_choice import TokenChoice

PROMPT = np.array([0, 1, 1], np.int64)


def choice(prompt: np.ndarray[Any, Any] = PROMPT, **options: Any) -> TokenChoice:
    return TokenChoice(generation_config(Sampling(**options), None, {1}), prompt)


def logits(*shares: float) -> np.ndarray[Any, Any]:
    return np.log(np.array(shares, np.float64)).astype(np.float32)


def frequencies(chosen: TokenChoice, row: np.ndarray[Any, Any], draws: int) -> Counter[int]:
    counted = Counter(chosen.choose(row)[0] for _ in range(draws))
    return Counter({token: count / draws for token, count in counted.items()})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.5, 0.25, 0.15, 0.1]),
        ({"temperature": 0.5}, [0.25 / 0.345, 0.0625 / 0.345, 0.0225 / 0.345, 0.01 / 0.345]),
        ({"top_k": 2}, [2 / 3, 1 / 3, 0, 0]),
        ({"top_k": 9}, [0.5, 0.25, 0.15, 0.1]),
        ({"top_p": 0.4}, [1, 0, 0, 0]),
        ({"top_p": 0.6}, [2 / 3, 1 / 3, 0, 0]),
        ({"top_p": 0.8}, [5 / 9, 2.5 / 9, 1.5 / 9, 0]),
        # Of the two that are kept the first has two thirds.
        ({"top_k": 2, "top_p": 0.7}, [2 / 3, 1 / 3, 0, 0]),
        ({"top_k": 2, "top_p": 0.6}, [1, 0, 0, 0]),
    ],
)
def test_tokens_come_as_often_as_their_probabilities_say(
    options: dict[str, Any], expected: list[float]
) -> None:
    order = [2, 0, 3, 1]
    row = logits(*(0.5, 0.25, 0.15, 0.1))[np.argsort(order)]
    found = frequencies(choice(**{"temperature": 1.0, "seed": 3} | options), row, 4000)
    # Five standard deviations of a count of 4000.
    np.testing.assert_allclose([found[token] for token in order], expected, rtol=0, atol=0.04)
    assert set(found) == {token for token, share in zip(order, expected, strict=True) if share}


@given(st.integers(0, 2**31), st.floats(0.01, 0.999), st.sampled_from([30, 1500, 4000]))
@settings(max_examples=40, deadline=None)
def test_a_nucleus_is_the_fewest_that_exceed_its_share(seed: int, top_p: float, size: int) -> None:
    random = np.random.default_rng(seed)
    row = (random.standard_normal(size) * random.uniform(0.1, 6)).astype(np.float32)
    shares = np.exp(row.astype(np.float64)) / np.exp(row.astype(np.float64)).sum()
    order = np.argsort(-shares)
    most = int(np.searchsorted(shares[order].cumsum(), top_p + 1e-6)) + 1
    chosen = choice(temperature=1.0, top_p=top_p, seed=seed)
    assert {chosen.choose(row)[0] for _ in range(20)} <= set(order[:most].tolist())


def test_a_prompt_token_is_repeated_less_but_not_counted() -> None:
    row = np.array([2.0, 1.9, 1.0, -1.0], np.float32)
    assert choice().choose(row)[0] == 0
    assert choice(repetition_penalty=1.5).choose(row)[0] == 0
    assert choice(repetition_penalty=2.5).choose(row)[0] == 2
    assert choice(presence_penalty=2.0, frequency_penalty=2.0).choose(row)[0] == 0
    below = np.array([-1.0, -1.2, -1.4, -9.0], np.float32)
    assert choice(repetition_penalty=1.5).choose(below)[0] == 2


def test_what_was_said_is_said_less() -> None:
    row = np.array([-9.0, -9.0, 3.0, 2.5, 2.2], np.float32)
    assert [choice(presence_penalty=0.6).choose(row)[0] for _ in range(2)] == [2, 2]
    once = choice(presence_penalty=0.6)
    assert [once.choose(row)[0] for _ in range(4)] == [2, 3, 2, 2]
    often = choice(frequency_penalty=0.6)
    assert [often.choose(row)[0] for _ in range(5)] == [2, 3, 2, 4, 3]


def test_the_row_is_left_as_it_was_and_logprobs_are_of_it() -> None:
    row = logits(0.5, 0.3, 0.2)
    kept = row.copy()
    chosen = choice(np.array([0]), repetition_penalty=0.1, frequency_penalty=1.0, logprobs=True)
    for _ in range(4):
        token, logprob = chosen.choose(row)
        assert logprob == pytest.approx(np.log([0.5, 0.3, 0.2][token]), abs=1e-6)
    assert (row == kept).all()
    assert choice().choose(row) == (0, 0.0)


@pytest.mark.parametrize("temperature", [0.0, 1e-30, 1e30])
@pytest.mark.parametrize("penalty", [1e-30, 1e30])
def test_extreme_settings_still_choose(temperature: float, penalty: float) -> None:
    chosen = choice(temperature=temperature, repetition_penalty=penalty, top_p=0.9, seed=1)
    row = np.array([40.0, -30.0, 0.5, 7.0], np.float32)
    assert all(0 <= chosen.choose(row)[0] < 4 for _ in range(20))


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_logits_that_are_no_numbers_are_an_error(broken: float) -> None:
    with pytest.raises(RuntimeError, match="finite"):
        choice().choose(np.array([0.0, broken, 1.0], np.float32))


def test_unset_settings_leave_every_token_in() -> None:
    config = openvino_genai.GenerationConfig(do_sample=True, rng_seed=1, max_new_tokens=1)
    row = np.zeros(300, np.float32)
    assert len(frequencies(TokenChoice(config, PROMPT), row, 6000)) == 300
