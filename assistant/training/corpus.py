"""Plain text to learn characters' company from: notes, CMeKG written out, files of one's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.training.dataset import DatasetInvalid
from knowledge.sources.cmekg import CMeKG
from serving.encoder.vocabulary import Vocabulary

Blocks = NDArray[np.int32]

# The same side effect stands under thousands of drugs: it teaches no more after a few times.
_SAME_VALUE = 3
# Names in Latin script and addresses of classifications are no Chinese text.
_LEFT_OUT = frozenset({"英文名", "英文名称", "ICD10", "ICD9", "OTC类型", "药品监管分级"})


def cmekg_texts(archive: Path) -> Iterator[str]:
    """What CMeKG says of each disease, drug or test, as one paragraph.

    Raises:
        SourceError: the archive cannot be read.
    """
    seen: Counter[str] = Counter()
    for subject, about in groupby(CMeKG(archive).triples(), lambda triple: triple[0]):
        sentences = []
        for predicate, group in groupby(about, lambda triple: triple[1]):
            values = [value for _, _, value in group if value and predicate not in _LEFT_OUT]
            fresh = [value for value in values if seen[value] < _SAME_VALUE]
            seen.update(fresh)
            if fresh:
                name = predicate.replace("_", "的")
                sentences.append(f"{name}：{'、'.join(fresh).rstrip('。')}。")
        if sentences:
            yield f"{subject}。{''.join(sentences)}"


def file_texts(path: Path) -> Iterator[str]:
    """The paragraphs of a UTF-8 file; an empty line stands between two.

    Raises:
        DatasetInvalid: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetInvalid(f"{path} cannot be read as UTF-8: {error}.") from error
    yield from (part.strip() for part in text.split("\n\n") if part.strip())


def blocks(texts: Sequence[str], vocabulary: Vocabulary, length: int) -> Blocks:
    """``texts`` one after another, a [SEP] after each, as rows of ``length`` ids that begin with
    [CLS]; what does not fill the last row is left out."""
    stream: list[int] = []
    for text in texts:
        stream += vocabulary.tokens(text).ids
        stream.append(vocabulary.last)
    inner = length - 1
    count = len(stream) // inner
    if not count:
        raise DatasetInvalid(
            f"There are {len(stream)} characters of text to learn from, fewer than {inner}."
        )
    rows = np.array(stream[: count * inner], np.int32).reshape(count, inner)
    return np.concatenate([np.full((count, 1), vocabulary.first, np.int32), rows], axis=1)


def masked(
    rows: Blocks, vocabulary: Vocabulary, random: np.random.Generator, share: float = 0.2
) -> tuple[Blocks, NDArray[np.int64]]:
    """``rows`` with ``share`` of the tokens hidden, and the flat places of those.

    Runs of one to four characters are hidden together, so that a word is not told by its other
    half (after MacBERT, Cui et al. 2020, with more short runs: a small encoder begins with what is
    near); of the tokens chosen 80 % become [MASK], 10 % another character, 10 % stay (Devlin et al.
    2019).
    """
    lengths = np.array([0.6, 0.25, 0.1, 0.05])
    mean = float(lengths @ np.arange(1, 5))
    begins = random.random(rows.shape) < share / mean
    runs = random.choice(np.arange(1, 5), rows.shape, p=lengths)
    chosen = np.zeros(rows.shape, bool)
    for step in range(4):
        reach = begins & (runs > step)
        chosen[:, step:] |= reach[:, : rows.shape[1] - step]
    chosen &= (rows != vocabulary.first) & (rows != vocabulary.last) & (rows != vocabulary.unknown)
    places = np.flatnonzero(chosen)
    lot = random.random(len(places))
    hidden = rows.copy().reshape(-1)
    hidden[places[lot < 0.8]] = vocabulary.mask
    other = places[lot >= 0.9]
    hidden[other] = random.integers(5, len(vocabulary), len(other))
    return hidden.reshape(rows.shape), places
