"""How fast the engine answers: tokens per second and seconds to first token.

For 1, 4 and 8 clients at once, with a prompt that the engine has never seen (cold) and with one
whose beginning it has already read (warm).  The cases take turns, so that a change in the machine's
speed meets all of them; each line holds the median over the repetitions.

    python -m bench.serving --repetitions 5 > serving.jsonl
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from bench.machine import describe
from serving.engine import Completion, Engine, Message, Sampling, complete
from serving.engines.openvino.engine import OpenVinoOptions
from serving.engines.openvino.worker_engine import WorkerEngine
from serving.models.catalog import DEFAULT_MODEL
from serving.models.store import ModelStore

WORDS = (
    "患者 主诉 反复 咳嗽 咳痰 发热 胸闷 气促 乏力 纳差 夜间 加重 活动后 明显 既往 体健 "
    "否认 过敏 "
    "查体 双肺 呼吸音 粗 可闻及 湿啰音 心率 齐 腹软 无压痛 血常规 白细胞 升高 胸片 提示 感染"
)


@dataclass(frozen=True)
class Measurement:
    """One round of one case."""

    tokens_per_second: float
    seconds_to_first_token: float
    prompt_tokens: float
    new_tokens: float


def text_of(engine: Engine, tokens: int, seed: int) -> str:
    """Made-up clinical words, about ``tokens`` tokens long; other seeds give other beginnings."""
    source = random.Random(seed)
    text = ""
    while engine.count_tokens(text) < tokens:
        text += "".join(source.choices(WORDS.split(), k=16)) + "，"
    return text


async def measure(
    engine: Engine, clients: int, warm: bool, settings: argparse.Namespace, seed: int
) -> Measurement:
    """Ask as ``clients`` at once and wait for all."""
    shared = text_of(engine, settings.prompt_tokens, seed=0)
    if warm:
        await complete(engine, messages(shared, 0), Sampling(max_tokens=1))
    prompts = [
        messages(shared if warm else text_of(engine, settings.prompt_tokens, seed + client), client)
        for client in range(1, clients + 1)
    ]
    sampling = Sampling(max_tokens=settings.new_tokens)
    begin = time.perf_counter()
    answers: list[Completion] = await asyncio.gather(
        *(complete(engine, prompt, sampling) for prompt in prompts)
    )
    seconds = time.perf_counter() - begin
    usages = [answer.usage for answer in answers]
    return Measurement(
        tokens_per_second=sum(usage.new_tokens for usage in usages) / seconds,
        seconds_to_first_token=statistics.median(u.seconds_to_first_token for u in usages),
        prompt_tokens=statistics.mean(usage.prompt_tokens for usage in usages),
        new_tokens=statistics.mean(usage.new_tokens for usage in usages),
    )


def messages(record: str, client: int) -> list[Message]:
    """A record and a question that differs from client to client."""
    return [Message("user", f"{record}\n问题{client}：请详细写出诊断、鉴别诊断和诊疗计划。")]


async def run(settings: argparse.Namespace) -> None:
    """Measure every case in turn and print one line each."""
    store = ModelStore(settings.home)
    options = OpenVinoOptions(
        max_num_seqs=max(8, *settings.clients),
        max_num_batched_tokens=settings.batched_tokens,
    )
    engine = WorkerEngine(store.path(settings.model), options)
    cases = [(clients, warm) for clients in settings.clients for warm in (False, True)]
    found: dict[tuple[int, bool], list[Measurement]] = defaultdict(list)
    seed = random.SystemRandom().randrange(10**6) * 1000
    for repetition in range(settings.repetitions):
        for clients, warm in cases:
            seed += 100
            found[clients, warm].append(await measure(engine, clients, warm, settings, seed))
            print(f"{repetition + 1}/{settings.repetitions}: {clients} clients", file=sys.stderr)
    for (clients, warm), rounds in found.items():
        line = {
            "bench": "serving",
            "clients": clients,
            "prefix": "warm" if warm else "cold",
            "tokens_per_second": _median(rounds, "tokens_per_second", 2),
            "seconds_to_first_token": _median(rounds, "seconds_to_first_token", 3),
            "prompt_tokens": _median(rounds, "prompt_tokens", 0),
            "new_tokens": _median(rounds, "new_tokens", 0),
            "repetitions": len(rounds),
            "batched_tokens": settings.batched_tokens,
            "model": engine.card.name,
            **describe(),
        }
        print(json.dumps(line, ensure_ascii=False), flush=True)
    await engine.close()


def _median(rounds: list[Measurement], name: str, digits: int) -> float:
    values = [float(getattr(one, name)) for one in rounds]
    return round(statistics.median(values), digits)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(os.environ.get("BEDSIDE_HOME") or platformdirs.user_data_dir("bedside"))
    parser.add_argument("--home", type=Path, default=home, help="data home")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="a prepared model's name")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--prompt-tokens", type=int, default=400, help="length of the record")
    parser.add_argument("--new-tokens", type=int, default=64, help="longest answer")
    parser.add_argument(
        "--batched-tokens", type=int, default=OpenVinoOptions().max_num_batched_tokens
    )
    parser.add_argument("--repetitions", type=int, default=5)
    settings = parser.parse_args()
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
