import numpy as np
import pytest

from bench.perplexity import Tally


def test_perplexity_of_an_even_guess_is_the_vocabulary() -> None:
    logits = np.full((5, 40), 3.0, dtype=np.float32)
    tally = Tally()
    tally.add(logits, [1, 2, 3, 4, 5], logits)
    line = tally.line()
    assert line["perplexity"] == pytest.approx(40)
    assert (line["logits_mean_squared_error"], line["same_best_token"]) == (0, 1)


def test_error_is_the_mean_over_all_logits() -> None:
    reference = np.zeros((2, 4), dtype=np.float32)
    logits = reference.copy()
    logits[0, 1] = 2.0
    tally = Tally()
    tally.add(logits, [0, 0], reference)
    assert tally.line()["logits_mean_squared_error"] == pytest.approx(4 / 8)
    assert tally.line()["same_best_token"] == 0.5
