"""A hospital's side: asks the coordinator for work, learns, sends the change of the weights."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from assistant.training.federated import plans
from assistant.training.federated.message import MessageInvalid, Weights, pack, unpack
from assistant.training.federated.party import Learner, Party
from assistant.training.federated.plan import Plan
from assistant.training.optimisation import Progress, TrainingInvalid


class CoordinatorUnavailable(Exception):
    """The coordinator cannot be reached, or does not take this site; the message says why."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The common model is in ``folder``; ``refused``: rounds in which this site was left out."""

    folder: Path
    rounds: int
    refused: int


class Line:
    """Requests to one coordinator; a line that breaks is tried again for ``patience`` seconds."""

    def __init__(self, address: str, context: ssl.SSLContext, patience: float = 600.0) -> None:
        if not address.startswith("https://"):
            raise CoordinatorUnavailable(
                f"{address} 须以 https:// 开头。(The address must begin with https://.)"
            )
        # No proxy of the environment: weights go to the coordinator and nowhere else.
        self._client = httpx.Client(
            base_url=address, verify=context, trust_env=False, timeout=120.0
        )
        self._patience = patience

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """One request.

        Raises:
            CoordinatorUnavailable: no answer in the time, or this certificate is not taken.
        """
        until = time.monotonic() + self._patience
        while True:
            try:
                answer = self._client.request(method, path, **content)
            except httpx.TransportError as error:
                if time.monotonic() > until:
                    raise CoordinatorUnavailable(
                        "无法连接协调方，或双方证书不被对方信任。(The coordinator cannot be "
                        f"reached, or one side does not trust the other's certificate: {error}.)"
                    ) from error
                time.sleep(min(5.0, max(0.05, self._patience / 50)))
                continue
            if answer.status_code == 403:
                raise CoordinatorUnavailable(_detail(answer))
            return answer


def take_part(
    line: Line,
    party: Party,
    folder: Path,
    report: Progress,
    *,
    pause: float = 2.0,
    changed: Callable[[Weights], Weights] = lambda change: change,
) -> Ended:
    """Take part until the training is over; write the common model to ``folder``.

    ``changed`` is done to each change before it leaves.

    Raises:
        CoordinatorUnavailable: it cannot be reached, or refuses this site.
        DatasetInvalid: there is nothing to learn from.
        TrainingInvalid: the loss is no number any more.
    """
    said = asdict(party.said())
    _joined(line, said)
    learner: Learner | None = None
    refused = 0
    while True:
        answer = line.ask("GET", "/v1/work")
        if answer.status_code == 204:
            time.sleep(pause)
            continue
        if answer.status_code != 200:
            # A coordinator that was started anew may have forgotten who had joined.
            _joined(line, said)
            continue
        weights, facts, plan = _read(answer.content)
        number, rounds = int(facts["round"]), plan.learning.rounds
        if facts["refused"]:
            refused += 1
            report(max(1, number), rounds + 1, str(facts["refused"]))
        if facts["over"]:
            party.write(folder, weights, plan, float(facts["above"]))
            return Ended(folder, rounds, refused)
        learner = learner or party.learner(plan)
        counts = learner.score(weights) if number > 1 else None
        change: Weights = {}
        told = f"round {number} scored"
        if number <= rounds:
            learnt = learner.learn(weights, number)
            told = f"round {number}, loss {learnt.loss:.4f}"
            change = changed(learnt.change)
        line.ask("POST", f"/v1/rounds/{number}", content=pack(change, {"counts": counts}))
        report(number, rounds + 1, told)


def _joined(line: Line, said: dict[str, Any]) -> None:
    answer = line.ask("POST", "/v1/join", json=said)
    if answer.status_code != 200:
        raise CoordinatorUnavailable(_detail(answer))


def _read(data: bytes) -> tuple[Weights, dict[str, Any], Plan]:
    try:
        weights, facts = unpack(data)
        return weights, facts, plans.read(facts["plan"])
    except (MessageInvalid, KeyError, TypeError, ValueError) as error:
        raise TrainingInvalid(
            "协调方的消息无法读取，两边版本可能不同。(The coordinator's message cannot be read; "
            "its version of Bedside may be another.)"
        ) from error


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"协调方回答 {answer.status_code}。(The coordinator answered {answer.status_code}.)"
