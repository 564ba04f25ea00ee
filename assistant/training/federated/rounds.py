"""The rounds of one federated training: who takes part, what is accepted, what comes next.

Knows nothing of the network; every method may be called from any thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assistant.training.federated import plans
from assistant.training.federated.averaging import Privacy, Update, average, too_long
from assistant.training.federated.members import Joined, Round, Rules, SiteRefused
from assistant.training.federated.message import (
    MessageInvalid,
    Weights,
    check,
    norm,
    pack,
    unpack,
)
from assistant.training.federated.plan import Counts, Plan
from assistant.whole_file import whole

logger = logging.getLogger("bedside.training.federated")
STATE = "federated.safetensors"


@dataclass(slots=True)
class _Answer:
    update: Update
    counts: Counts | None


Begin = Callable[[dict[str, Joined]], tuple[Plan, Weights]]
"""The plan and the first weights, from what the sites say of themselves."""


class Federation:
    """Rounds 1 … R of learning and one more, in which the last weights are scored."""

    def __init__(
        self, rules: Rules, folder: Path, begin: Begin, privacy: Privacy | None = None
    ) -> None:
        """Goes on with the state that ``folder`` holds of a killed run.

        Raises:
            MessageInvalid: that state is damaged, or of another base or kind of training.
        """
        self._rules, self._begin, self._privacy = rules, begin, privacy
        self._lock = threading.RLock()
        self._path = folder / STATE
        self.plan: Plan | None = None
        self.weights: Weights = {}
        self.best: Weights = {}
        self.number = 0
        self.history: list[Round] = []
        self._joined: dict[str, Joined] = {}
        self._answers: dict[str, _Answer] = {}
        self._refused: dict[str, str] = {}
        self._absent: set[str] = set()
        self._began = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)
        if self._path.is_file():
            self._restore()

    @property
    def over(self) -> bool:
        """Whether the last weights are scored too."""
        return self.plan is not None and self.number > self.plan.learning.rounds + 1

    def join(self, site: str, said: Joined) -> None:
        """A site says that it is there; again after a restart.

        Raises:
            SiteRefused: it has types that the model was begun without, another base, or no
                document.
        """
        with self._lock:
            self._rules.check(said)
            if self.plan is not None and (strange := self.plan.strange(said.types)):
                raise SiteRefused(
                    "联邦训练已开始，其类型不含本站点的类型。(The training has begun without "
                    f"these types: {', '.join(strange)}. Start it again with this site.)"
                )
            self._joined[site] = said
            self._absent.discard(site)
            self.tick()

    def work(self, site: str) -> bytes | None:
        """What a site is to do now, None: wait.

        Raises:
            SiteRefused: it has not joined.
        """
        with self._lock:
            if site not in self._joined:
                raise SiteRefused("请先加入联邦训练。(Join first.)")
            self.tick()
            if self.plan is None or (not self.over and self._heard(site)):
                return None
            self._absent.discard(site)
            last = self.history[-1] if self.history else None
            facts = {
                "round": self.number,
                "over": self.over,
                "plan": self.plan.as_json(),
                "above": self._top()[1],
                "refused": last.refused.get(site, "") if last else "",
            }
            return pack(self.best if self.over else self.weights, facts)

    def answer(self, site: str, number: int, data: bytes) -> None:
        """A site's change of the weights, and counts of its dev set.

        Raises:
            SiteRefused: the round is over, or the message cannot be used; the latter counts as
                the site's answer, so that the others need not wait.
        """
        with self._lock:
            if self.plan is None or site not in self._joined or number != self.number or self.over:
                raise SiteRefused(
                    f"第 {number} 轮已结束，请取新一轮。(Round {number} is over; ask for the next.)"
                )
            if self._heard(site):
                raise SiteRefused("本轮已提交。(This site has answered this round.)")
            try:
                self._answers[site] = self._read(site, data)
            except MessageInvalid as error:
                self._refused[site] = str(error)
                logger.warning("round %d: %s refused: %s", number, site, error)
                raise SiteRefused(str(error)) from error
            finally:
                self.tick()

    def tick(self) -> None:
        """Begin, or close the round, if it is time."""
        with self._lock:
            if self.plan is None:
                self._start()
            elif not self.over:
                self._close()

    def _heard(self, site: str) -> bool:
        return site in self._answers or site in self._refused

    def _read(self, site: str, data: bytes) -> _Answer:
        assert self.plan is not None
        change, facts = unpack(data)
        scoring = self._scoring()
        check(change, {} if scoring else self.weights)
        counts = facts.get("counts")
        if counts is not None:
            counts = self.plan.checked(counts)
        return _Answer(Update(change, self._joined[site].characters), counts)

    def _scoring(self) -> bool:
        return self.plan is not None and self.number == self.plan.learning.rounds + 1

    def _start(self) -> None:
        names = set(self._joined)
        late = time.monotonic() - self._began > self._rules.wait
        if not (names >= set(self._rules.sites) or (late and len(names) >= self._rules.least)):
            return
        self.plan, self.weights = self._begin(dict(self._joined))
        self.best = self.weights
        self.number = 1
        self._began = time.monotonic()
        self._absent = set(self._rules.sites) - names
        self._save()
        # A site says itself how much it counts for: a person can see whether that can be.
        shares = (
            f"{name} ({one.documents} documents, {one.characters} characters)"
            for name, one in self._joined.items()
        )
        logger.info("begun with %s", ", ".join(sorted(shares)))

    def _close(self) -> None:
        assert self.plan is not None
        waited = [s for s in self._joined if s not in self._absent and not self._heard(s)]
        late = time.monotonic() - self._began > self._rules.patience
        if waited and not late:
            return
        least = 1 if self._scoring() else self._rules.least
        if len(self._answers) + len(self._refused) < least:
            return
        self._bound()
        kept = {name: self._answers[name] for name in sorted(self._answers)}
        counts = [one.counts for one in kept.values() if one.counts is not None]
        above, score = self.plan.best(counts)
        if counts and score >= self._top()[0]:
            self.best = self.weights
        silent = set(self._rules.sites) - set(kept) - set(self._refused)
        known, absent = (score if counts else None), tuple(sorted(silent))
        one = Round(self.number, known, above, tuple(kept), dict(self._refused), absent)
        self.history.append(one)
        if not self._scoring():
            self._learn([one.update for one in kept.values()])
        self._absent |= set(waited)
        self._answers, self._refused = {}, {}
        self.number += 1
        self._began = time.monotonic()
        logger.info("%s", self.last_round())
        self._save()

    def _learn(self, updates: list[Update]) -> None:
        if len(updates) < self._rules.least:
            logger.warning("round %d: too few updates; the weights stay as they were", self.number)
            return
        self.weights = average(self.weights, updates, self._privacy)
        if not any(one.score is not None for one in self.history):
            self.best = self.weights

    def _bound(self) -> None:
        if not self._rules.factor or self._scoring():
            return
        norms = {name: norm(one.update.change) for name, one in self._answers.items()}
        bound, long = too_long(norms, self._rules.factor)
        for name in sorted(long):
            del self._answers[name]
            self._refused[name] = (
                f"更新过大，已拒绝（长度 {norms[name]:.3g}，上限 {bound:.3g}）。(The update is too "
                f"long: {norms[name]:.3g} against a bound of {bound:.3g}; it was left out. Look at "
                "this site's data and rate.)"
            )
            logger.warning("round %d: %s refused: %s", self.number, name, self._refused[name])

    def _top(self) -> tuple[float, float]:
        scored = [(one.score, one.above) for one in self.history if one.score is not None]
        # Of equals the later one, which has learnt more.
        return max(scored[::-1], key=lambda one: one[0]) if scored else (0.0, 0.5)

    @property
    def result(self) -> tuple[float, float]:
        """The best score on all dev sets, and its threshold."""
        return self._top()

    def last_round(self) -> str:
        """The last round in a line: names of sites and numbers."""
        if not self.history:
            return f"waiting: {', '.join(sorted(self._joined)) or 'nobody has joined'}"
        last = self.history[-1]
        parts = [f"round {last.number}: {', '.join(last.accepted)}"]
        if last.score is not None and self.plan is not None:
            parts.append(f"dev {self.plan.measure} before it {last.score:.4f}")
        if last.refused:
            parts.append(f"refused: {', '.join(sorted(last.refused))}")
        if last.absent:
            parts.append(f"absent: {', '.join(last.absent)}")
        return "; ".join(parts)

    def _save(self) -> None:
        if self.plan is None:
            return
        both = {f"now/{n}": v for n, v in self.weights.items()}
        both |= {f"best/{n}": v for n, v in self.best.items()}
        facts = {
            "plan": self.plan.as_json(),
            "number": self.number,
            "joined": {name: asdict(one) for name, one in self._joined.items()},
            "history": [asdict(one) for one in self.history],
        }
        with whole(self._path) as partial:
            partial.write_bytes(pack(both, facts))

    def _restore(self) -> None:
        try:
            both, facts = unpack(self._path.read_bytes())
            self.plan = plans.read(facts["plan"])
            self.number = int(facts["number"])
            self._joined = {
                name: Joined(**one | {"types": tuple(one["types"])})
                for name, one in facts["joined"].items()
            }
            self.history = [_round(one) for one in facts["history"]]
        except (MessageInvalid, KeyError, TypeError, ValueError) as error:
            raise MessageInvalid(
                f"{self._path} 已损坏，请删除后重新开始。(It is damaged; delete it to begin again.)"
            ) from error
        if any(one.base != self._rules.base for one in self._joined.values()):
            raise MessageInvalid(
                f"{self._path} 属于另一底座模型或另一种训练，请另选 --out。(It is of another base "
                "model, or another kind of training: choose another --out.)"
            )
        self.weights = _group(both, "now/")
        self.best = _group(both, "best/")


def _round(one: dict[str, Any]) -> Round:
    return Round(**one | {"accepted": tuple(one["accepted"]), "absent": tuple(one["absent"])})


def _group(both: Weights, prefix: str) -> Weights:
    return {
        name.removeprefix(prefix): value for name, value in both.items() if name.startswith(prefix)
    }
