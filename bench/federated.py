"""Entity recognition by three sites together, against pooled data, one site, and passing on.

    python -m bench.federated ../shared/data/ner --arm pooled

The sites are simulated in one process with the learning and averaging of `bedside federated`;
their sizes and labels are skewed (see `divided`).  Every arm sees each document as often, from the
same first weights, and ends with its last weights; the threshold is that of all dev sets.  One JSON
line an arm.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from assistant.training import dataset
from assistant.training.dataset import Example
from assistant.training.federated import ner_party, scored
from assistant.training.federated.averaging import Update, average
from assistant.training.federated.message import Weights
from assistant.training.federated.ner_plan import NerPlan
from assistant.training.federated.plan import Counts, Learning
from assistant.training.scoring import THRESHOLDS
from serving.encoder.shape import Shape, SpanShape
from serving.encoder.vocabulary import of_characters

SETS = ("cehrner", "cmedqaner")
ARMS = ("pooled", "federated", "single", "cyclic", "sequential")


def read(folder: Path, part: str) -> list[list[Example]]:
    """A part of both sets, types under the set's name."""
    return [dataset.read(folder / f"{one}_{part}.bio.txt.gz", f"{one}/") for one in SETS]


def divided(records: list[Example], questions: list[Example]) -> list[list[Example]]:
    """Three sites: A has most of the records, B most of the questions, C few of either, and of the
    questions those that speak of a drug; A and B get the rest of those."""
    drugs = [one for one in questions if any(x.type == "cmedqaner/drug" for x in one.labels)]
    third = drugs[: len(questions) // 5]
    known = {id(one) for one in third}
    rest = [one for one in questions if id(one) not in known]
    few, some = len(records) // 12, len(records) // 6
    cut = len(questions) // 20
    return [
        [*records[: -few - some], *rest[:cut]],
        [*records[-few - some : -few], *rest[cut:]],
        [*records[-few:], *third],
    ]


def federated(
    plan: NerPlan, sites: Sequence[Sequence[Example]], dev: Sequence[Example], first: Weights
) -> Weights:
    """FedAvg over the sites; of one site, its own training."""
    parties = [ner_party.LocalNer(plan, one, dev, number) for number, one in enumerate(sites)]
    weights = first
    for number in range(1, plan.learning.rounds + 1):
        updates = [
            Update(party.learn(weights, number).change, ner_party.characters(own))
            for party, own in zip(parties, sites, strict=True)
        ]
        weights = average(weights, updates)
    return weights


def cyclic(
    plan: NerPlan, sites: Sequence[Sequence[Example]], dev: Sequence[Example], first: Weights
) -> Weights:
    """The weights go from site to site, an epoch at each, round after round."""
    parties = [ner_party.LocalNer(plan, one, dev, number) for number, one in enumerate(sites)]
    weights = first
    for number in range(1, plan.learning.rounds + 1):
        for party in parties:
            party.learn(weights, number)
            weights = party.weights()
    return weights


def sequential(
    plan: NerPlan, sites: Sequence[Sequence[Example]], dev: Sequence[Example], first: Weights
) -> Weights:
    """Each site trains to the end, once, and hands on."""
    weights = first
    for one in sites:
        weights = federated(plan, [one], dev, weights)
    return weights


def _counts(
    plan: NerPlan, few: Sequence[Example], sets: Sequence[Sequence[Example]], weights: Weights
) -> list[Counts]:
    found = (ner_party.LocalNer(plan, few, one).score(weights) for one in sets)
    return [one for one in found if one is not None]


def measured(
    name: str, weights: Weights, plan: NerPlan, dev: Sequence[Example], test: list[list[Example]]
) -> dict[str, object]:
    """Micro-F1 on the test sets at the threshold of ``dev``."""
    few = list(dev[:2])
    above, on_dev = scored.best(_counts(plan, few, [dev], weights))
    place = THRESHOLDS.index(above)
    counts = [one[place] for one in _counts(plan, few, test, weights)]
    gold, found, right = np.sum(counts, axis=0)
    by_set = {n: round(2 * r / max(1, g + f), 4) for n, (g, f, r) in zip(SETS, counts, strict=True)}
    return {
        "arm": name,
        "f1": round(2 * right / max(1, gold + found), 4),
        **by_set,
        "dev_f1": round(on_dev, 4),
        "above": above,
    }


def main() -> None:
    """Run the arms that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--arm", choices=ARMS, action="append")
    parser.add_argument("--records", type=int, default=914, help="documents of cEHRNER")
    parser.add_argument("--questions", type=int, default=1_673, help="documents of cMedQANER")
    parser.add_argument("--held", type=int, default=1_000, help="documents of each dev set")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--epochs", type=float, default=1.0, help="of a site in each round")
    parser.add_argument("--tokens", type=int, default=2_048)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--mu", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    every = read(asked.folder, "train")
    test = read(asked.folder, "test")
    dev = [one for part in read(asked.folder, "dev") for one in part[: asked.held]]
    records, questions = every[0][: asked.records], every[1][: asked.questions]
    sites = divided(records, questions)
    pooled = [one for site in sites for one in site]
    words = of_characters((one.text for one in pooled), least=2)
    width = asked.width
    shape = Shape(len(words), width, asked.layers, width // 64, 4 * width, 256)
    learning = Learning(
        rounds=asked.rounds,
        epochs=asked.epochs,
        tokens=asked.tokens,
        rate=asked.rate,
        mu=asked.mu,
        seed=asked.seed,
    )
    span = SpanShape(tuple(dataset.types_of([one for part in every for one in part])))
    plan = NerPlan(
        learning, shape, span, words.pieces, words.settings(), ner_party.characters(pooled)
    )
    first = ner_party.begin(plan)
    ways = {"federated": federated, "cyclic": cyclic, "sequential": sequential}
    for arm in asked.arm or ARMS:
        groups = {
            "pooled": [("pooled", [pooled])],
            "single": [(f"single {n}", [s]) for n, s in zip("ABC", sites, strict=True)],
        }.get(arm, [(arm, sites)])
        for name, own in groups:
            clock = time.process_time()
            weights = ways.get(arm, federated)(plan, own, dev, first)
            row = measured(name, weights, plan, dev, test)
            row |= {
                "documents": [len(one) for one in own],
                "characters": [ner_party.characters(one) for one in own],
                "settings": {**vars(asked), "folder": asked.folder.name, "arm": arm},
                "processor_seconds": round(time.process_time() - clock, 1),
            }
            print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
