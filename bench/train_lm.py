"""Tuning a language model: tokens a second beside Transformers' Trainer as it comes.

Both sides begin with the same base and the same fresh LoRA, go once over the same lines with about
as many a step, and are measured on the same lines held out; passes are interleaved.  Trainer: eight
lines a step in an order by chance, padded to the longest, float32.  Ours: lines of like length
together, logits where a token is learned alone, frozen weights in what the processor multiplies
quickly; and the same in float32.

    python -m bench.train_lm
    python -m bench.train_lm --model Qwen2.5-0.5B-Instruct --data train.jsonl --lines 64

Without ``--model`` the base has random weights, and the head's share of its work is that of a model
of 0.5 B (a vocabulary of 32,000 at a width of 512 and 14 layers);
without ``--data`` the lines are questions, dialogues and faithful answers from the curated base.
Needs the extra ``train``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import transformers

from assistant.training.lm import adapter
from assistant.training.lm.base_model import open_base
from assistant.training.lm.lines import Row, read
from assistant.training.lm.run import Coded, Run, coded
from assistant.training.lm.settings import LmSettings, Numbers
from assistant.training.lm.tokens import Coder
from bench.machine import describe

_BATCH = 8
_HELD = 24
_VOCABULARY = 32_000


def main() -> None:
    """Print one JSON line a pass, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--data", type=Path, nargs="*")
    parser.add_argument("--hidden", type=int, default=512, help="Width of the random base.")
    parser.add_argument("--layers", type=int, default=14)
    parser.add_argument("--lines", type=int, default=96)
    parser.add_argument("--repetitions", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as folder:
        rows = read(given.data, "sft") if given.data else own_lines()
        random.Random(1).shuffle(rows)
        rows = rows[: given.lines + _HELD]
        model = given.model or random_model(Path(folder) / "base", rows, given.hidden, given.layers)
        run(model, rows, Path(folder), given)


def run(model: Path, rows: Sequence[Row], folder: Path, given: argparse.Namespace) -> None:
    """All passes of all sides."""
    coder = Coder(open_base(model, "f32").tokenizer, 1_024)
    settings = LmSettings(rate=given.rate, save_every=10**9)
    made = coded(rows, coder, settings)
    held, learned = made[:_HELD], made[_HELD:]
    lengths = [len(part.ids) for row in learned for part in row]
    settings = replace(settings, tokens=max(max(lengths), _BATCH * round(statistics.mean(lengths))))
    facts = {
        **describe(), "threads": given.threads, "lines": len(learned), "tokens": sum(lengths),
        "learned": round(sum(int(p.learned.sum()) for r in learned for p in r) / sum(lengths), 3),
    }  # fmt: skip
    print(json.dumps(facts))
    rates: dict[str, list[float]] = {}
    for _ in range(given.repetitions):
        for side in ("trainer", "ours", "ours f32"):
            if side == "trainer":
                taken, loss = by_trainer(model, learned, held, coder.pad, settings, folder)
            else:
                numbers: Numbers = "f32" if side == "ours f32" else "auto"
                taken, loss = by_ours(
                    model, learned, held, coder.pad, replace(settings, numbers=numbers)
                )
            # On a busy machine the processor's own seconds tell more than the clock's.
            rates.setdefault(side, []).append(sum(lengths) / taken.processor)
            told = {"side": side, "tokens_per_cpu_s": round(rates[side][-1], 1),
                    "tokens_per_s": round(sum(lengths) / taken.wall, 1),
                    "loss": round(loss, 4)}  # fmt: skip
            print(json.dumps(told), flush=True)
    medians = {side: statistics.median(values) for side, values in rates.items()}
    print(
        json.dumps({side: round(value / medians["trainer"], 2) for side, value in medians.items()})
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds by the clock, and of the processor (all threads)."""

    wall: float
    processor: float


@contextlib.contextmanager
def taken() -> Iterator[list[Taken]]:
    """A list that holds what the block took, behind it."""
    found: list[Taken] = []
    wall, processor = time.perf_counter(), time.process_time()
    yield found
    found.append(Taken(time.perf_counter() - wall, time.process_time() - processor))


def by_ours(
    model: Path, learned: Sequence[Coded], held: Sequence[Coded], pad: int, settings: LmSettings
) -> tuple[Taken, float]:
    """What one pass of ours takes, and the loss on the lines held out."""
    run = Run(open_base(model, settings.numbers), learned, held, pad, settings)
    with taken() as found:
        for step in range(run.batches.steps):
            run.step(step)
    return found[0], run.held_out()


def by_trainer(
    model: Path,
    learned: Sequence[Coded],
    held: Sequence[Coded],
    pad: int,
    settings: LmSettings,
    folder: Path,
) -> tuple[Taken, float]:
    """What one pass of Transformers' Trainer takes, and the loss on the lines held out."""
    base = open_base(model, "f32")
    measured = Run(base, held, held, pad, settings)

    def together(parts: Sequence[Any]) -> dict[str, Any]:
        length = max(len(part.ids) for part in parts)
        ids = torch.full((len(parts), length), pad)
        mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
        for number, part in enumerate(parts):
            own, told = torch.from_numpy(part.ids), torch.from_numpy(part.learned)
            ids[number, : len(own)], mask[number, : len(own)] = own, 1
            labels[number, : len(own)] = torch.where(told, own, -100)
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

    arguments = transformers.TrainingArguments(
        output_dir=str(folder / "trainer"), per_device_train_batch_size=_BATCH, num_train_epochs=1,
        learning_rate=settings.rate, warmup_steps=0.05, adam_beta2=0.98, adam_epsilon=1e-6,
        weight_decay=0.0, report_to="none", save_strategy="no", logging_strategy="no",
        disable_tqdm=True, use_cpu=True, remove_unused_columns=False, seed=settings.seed,
    )  # fmt: skip
    trainer = transformers.Trainer(
        model=measured.model,
        args=arguments,
        train_dataset=[part for row in learned for part in row],
        data_collator=together,
    )
    with taken() as found:
        trainer.train()
    assert adapter.trained(measured.model)
    loss = measured.held_out()
    assert math.isfinite(loss)
    return found[0], loss


def own_lines() -> list[Row]:
    """Questions and dialogues from the curated base, and its samples' records with long prompts."""
    from importlib.resources import files

    from assistant.record.encounter import Encounter
    from assistant.training.data import dialogues, faithful, questions
    from knowledge.clinical.entry import shipped_entries
    from knowledge.shipped import shipped_lexicon
    from knowledge.text.extraction import FindingExtractor

    entries = list(shipped_entries())[:200]
    chats = [*questions.of_entries(entries), *dialogues.of_entries(entries)]
    random.Random(2).shuffle(chats)
    sample = files("assistant") / "samples" / "encounters" / "pneumonia-adult.json"
    stay = Encounter.model_validate_json(sample.read_text("utf-8"))
    findings = FindingExtractor(shipped_lexicon()).extract
    rows = [Row(str(n), line.content["messages"]) for n, line in enumerate(chats[:200])]
    for line in faithful.lines([stay], findings, b"bench" * 8):
        answer = {"role": "assistant", "content": line.content["chosen"]}
        rows.append(Row(f"c{len(rows)}", [*line.content["prompt"], answer]))
    return rows


def random_model(folder: Path, rows: Sequence[Row], hidden: int, layers: int) -> Path:
    """A Qwen2 of random weights with a byte-level tokenizer trained on the lines."""
    tokenizer = _tokenizer(row.content for row in rows)
    config = transformers.Qwen2Config(
        vocab_size=_VOCABULARY, hidden_size=hidden, intermediate_size=11 * hidden // 4,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64, num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    torch.manual_seed(1)
    transformers.Qwen2ForCausalLM(config).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    ).save_pretrained(folder)
    return folder


def _tokenizer(texts: Iterator[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


if __name__ == "__main__":
    main()
