"""Fine-tuning: epochs, the best one by the dev set, going on after a kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch

from assistant.training import export
from assistant.training.model import load
from assistant.training.optimisation import (
    Average,
    Numbers,
    Progress,
    TrainingInvalid,
    adamw,
    clip,
    device,
    extended,
    warm_and_fall,
)
from assistant.training.scoring import Chosen, Scores
from assistant.training.state import RunState, seed
from assistant.training.steps import StepSettings
from serving.encoder.checkpoint import PREFIX, BertCheckpoint
from serving.encoder.shape import HeadShape, Shape, head_config
from serving.encoder.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings(StepSettings):
    """``patience``: epochs without a better F1 on the dev set before training stops; ``average``:
    what the mean of the weights keeps a step; ``extension``: compute with Intel Extension for
    PyTorch, where it can be imported.
    """

    epochs: int = 30
    patience: int = 6
    average: float = 0.99
    numbers: Numbers = "auto"
    extension: bool = False


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one pass over the data came to; ``f1`` is strict micro-F1 on the dev set with the
    threshold ``above``, the best one."""

    number: int
    loss: float
    f1: float
    above: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Trained:
    """The best epoch's model is in ``folder``; ``dev`` are its scores with the threshold
    ``above``; ``lost`` annotations of the training data are no whole tokens of their text."""

    folder: Path
    dev: Scores
    above: float
    epochs: tuple[Epoch, ...]
    best: int
    lost: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Fitted:
    """``weights`` of the ``best`` epoch by name; ``seconds`` in all, earlier runs with it."""

    weights: dict[str, Any]
    epochs: tuple[Epoch, ...]
    best: int
    seconds: float


class Task(Protocol):
    """What is learnt: a model, its data in batches, its loss, its score."""

    @property
    def model(self) -> Any:
        """The PyTorch module, where it computes."""

    @property
    def lost(self) -> int:
        """Annotations that are left out."""

    def batches(self, random: np.random.Generator) -> Iterator[Any]:
        """One pass over the data; follows from ``random``."""

    def loss(self, batch: Any) -> Any:
        """The loss of a batch, a scalar tensor."""

    def chosen(self) -> Chosen:
        """The threshold that is best on the dev set with the model as it is, and the scores."""


Start = BertCheckpoint | tuple[Vocabulary, Shape]
"""An encoder, or a vocabulary and a shape to begin from nothing."""

Settings = TypeVar("Settings", bound="FitSettings")


def learn(
    kind: str,
    head: HeadShape,
    make: Callable[[Vocabulary, Shape, Settings], Task],
    start: Start,
    folder: Path,
    settings: Settings,
    report: Progress,
) -> Trained:
    """Train what ``make`` gives and write the best model to ``folder``.

    What the folder holds of a killed run goes on after its last whole epoch.

    Raises:
        TrainingInvalid: the loss is no number any more.
        StateInvalid: the folder holds the state of another run.
    """
    if isinstance(start, BertCheckpoint):
        vocabulary, shape = start.vocabulary, start.shape
    else:
        vocabulary = start[0]
        shape = replace(start[1], vocab_size=len(vocabulary))
    settings = replace(settings, size=min(settings.size, shape.max_position_embeddings - 2))
    seed(settings.seed)
    task = make(vocabulary, shape, settings)
    if isinstance(start, BertCheckpoint):
        load(task.model, start.encoder_tensors())
    state = RunState(folder, {kind: asdict(settings), "shape": asdict(shape), **head_config(head)})
    fitted = _fit(task, settings, state, report)
    chosen = task.chosen()
    head = replace(head, above=chosen.above)
    facts = {
        "dev_micro_f1": round(chosen.scores.micro().f1, 4),
        "epoch": fitted.best,
        "seed": settings.seed,
    }
    export.write(folder, fitted.weights, shape, vocabulary, head, facts={kind: facts})
    state.remove()
    return Trained(
        folder,
        chosen.scores,
        chosen.above,
        fitted.epochs,
        fitted.best,
        task.lost,
        fitted.seconds,
    )


def _fit(task: Task, settings: FitSettings, state: RunState, report: Progress) -> _Fitted:
    """Train until the dev set is no better for ``patience`` epochs; the model has the best
    weights."""
    run = _Run(task, settings)
    history: list[Epoch] = []
    step, best = 0, -1
    best_weights = dict(run.average.weights)
    found = state.restore(task.model, run.optimizer)
    if found is not None:
        groups, facts = found
        task.model.load_state_dict(groups["model"])
        run.average.restore(groups["average"], facts["averaged"])
        best_weights = groups["best"]
        history = [Epoch(**one) for one in facts["history"]]
        step, best = facts["step"], facts["best"]
    clock = time.monotonic() - (history[-1].seconds if history else 0.0)
    figures = ""
    for number in range(len(history), settings.epochs):
        step, loss = run.epoch(
            number,
            step,
            lambda done, mean, number=number, figures=figures: report(  # type: ignore[misc]
                done, run.steps, f"epoch {number + 1}, loss {mean:.4f}{figures}"
            ),
        )
        chosen = run.chosen()
        f1 = chosen.scores.micro().f1
        history.append(Epoch(number + 1, loss, f1, chosen.above, time.monotonic() - clock))
        if best < 0 or f1 > history[best].f1:
            best = number
            best_weights = {k: v.detach().clone() for k, v in run.average.weights.items()}
        figures = f", dev F1 {f1:.4f} at {chosen.above}, best {history[best].f1:.4f}"
        report(step, run.steps, f"epoch {number + 1} done, loss {loss:.4f}{figures}")
        state.save(
            {"model": task.model.state_dict(), "average": run.average.weights,
             "best": best_weights},
            task.model,
            run.optimizer,
            {
                "step": step,
                "best": best,
                "averaged": run.average.steps,
                "history": [asdict(one) for one in history],
            },
        )  # fmt: skip
        if number - best >= settings.patience:
            break
    run.average.take(best_weights, task.model)
    task.model.eval()
    return _Fitted(best_weights, tuple(history), best + 1, time.monotonic() - clock)


class _Run:
    def __init__(self, task: Task, settings: FitSettings) -> None:
        self._task = task
        self._settings = settings
        self.optimizer = adamw(
            task.model,
            lambda name: settings.rate if name.startswith(PREFIX) else settings.head_rate,
            settings.decay,
        )
        _, self.optimizer = extended(task.model, self.optimizer, settings.extension)
        self.average = Average(task.model, settings.average)
        # Batches are not full, and windows are cut by chance: the first pass tells their number.
        first = sum(1 for _ in task.batches(self._random(0)))
        self.steps = settings.epochs * max(1, first)

    def epoch(
        self, number: int, step: int, report: Callable[[int, float], None]
    ) -> tuple[int, float]:
        """One pass; the step it ends at and its mean loss.  Follows from the epoch's number."""
        random = self._random(number)
        seed(self._settings.seed * 1_000_003 + number)
        total, count = 0.0, 0
        for batch in self._task.batches(random):
            total += self._step(batch, step)
            count += 1
            step += 1
            report(step, total / count)
        return step, total / max(1, count)

    def _random(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self._settings.seed, number])

    def _step(self, batch: Any, step: int) -> float:
        model = self._task.model
        model.train()
        loss = self._task.loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip(model.parameters())
        warm_and_fall(self.optimizer, min(step, self.steps), self.steps, self._settings.warm)
        self.optimizer.step()
        self.average.update(model)
        value = float(loss.detach())
        if not np.isfinite(value):
            raise TrainingInvalid(f"The loss is no number at step {step}; lower --rate.")
        return value

    def chosen(self) -> Chosen:
        """The threshold and the scores of the averaged weights."""
        self._task.model.eval()
        with self.average.in_place(self._task.model):
            return self._task.chosen()


def on_device(*arrays: Any) -> tuple[Any, ...]:
    """Arrays as tensors where the model computes."""
    where = device()
    return tuple(torch.from_numpy(array).to(where) for array in arrays)
