"""The engine on BigDL-LLM's INT4 kernels, in a process of its own (`serving.engines.bigdl.lowbit`).

Text stays here: the process gets token ids and gives token ids, so every engine has the same
tokenizers, chat templates and stop strings.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import json
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from serving import tool_calls
from serving.chat_options import kwargs_detail
from serving.engine import (
    Chunk,
    Engine,
    EngineBusy,
    EngineError,
    EngineUnavailable,
    ModelCard,
    Prompt,
    Sampling,
    limited,
)
from serving.engines.bigdl import kernel, vocabulary
from serving.engines.bigdl.environment import (
    Environment,
    EnvironmentMissing,
    find,
    plain_environment,
)
from serving.engines.bigdl.reply import Reply, check
from serving.engines.bigdl.source import Source, open_source
from serving.engines.bigdl.token_bytes import token_bytes
from serving.engines.inbox import Inbox
from serving.engines.line_process import Answer, LastingProcess, LineProcess, ProcessDied
from serving.engines.openvino.prompt_encoder import PromptEncoder
from serving.hardware import cpu, topology
from serving.models.file_lock import FileLock
from serving.schema import compact_grammar, json_schema

_log = logging.getLogger("bedside.serving.bigdl.engine")
_FORMAT = 1
"""Of the low-bit file; another number makes it be built again."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class BigdlOptions:
    """How the engine uses the machine.

    ``environment``: which of `serving.engines.bigdl.environment.RECIPES` runs it.  ``max_running``:
    requests that take turns.  ``queue_limit``: requests that may wait beyond those.  ``threads``:
    0 is one for each processor that its process may use.  ``context_length``: tokens; 0 takes
    what the checkpoint declares.  ``cores``: logical processors that it keeps to; (): any.
    ``default_max_tokens`` and ``chat_template_kwargs``: as OpenVinoOptions has them.
    """

    environment: str = "bigdl"
    low_bit: Literal["sym_int4", "asym_int4", "sym_int8"] = "sym_int4"
    max_running: int = 4
    queue_limit: int = 32
    threads: int = 0
    context_length: int = 0
    cores: tuple[int, ...] = ()
    default_max_tokens: int = 0
    chat_template_kwargs: Mapping[str, Any] = field(default_factory=dict)


class BigdlEngine(Engine):
    """A Hugging Face checkpoint, quantised once and served.  May be used from any event loop."""

    def __init__(
        self,
        checkpoint: Path,
        home: Path,
        options: BigdlOptions | None = None,
        *,
        progress: Progress | None = None,
        command: tuple[str, ...] = ("-E", "-s", "-m", "lowbit"),
    ) -> None:
        """Load the model: minutes the first time, seconds once ``home`` has its low-bit file.

        ``home``: Bedside's data folder.  ``command``: what the environment's Python is to run.

        Raises:
            EngineUnavailable: the environment or the checkpoint is missing or cannot be used.
        """
        self._options = options or BigdlOptions()
        try:
            self._environment: Environment = find(home, self._options.environment)
        except EnvironmentMissing as error:
            raise EngineUnavailable(str(error)) from error
        self._source: Source = open_source(checkpoint)
        self._command = command
        self._progress = progress or (lambda done, total, what: None)
        self._folder = _own_folder(home, checkpoint)
        self._limit = self._options.context_length or self._source.context_length
        with FileLock(self._folder / ".lock"):
            facts, tokenizer = vocabulary.prepared(self._source, self._folder)
            self._token_bytes = token_bytes(self._folder / vocabulary.FOLDER)
        self._end_ids = {*self._source.end_token_ids, *facts.end_token_ids}
        self._encoder = PromptEncoder(
            tokenizer,
            self._limit,
            facts.control_tokens,
            defaults=self._options.chat_template_kwargs,
        )
        self._numbers = itertools.count(1)
        self._counting = threading.Lock()
        self._replies: dict[int, tuple[Reply, Inbox]] = {}
        self._seconds_per_request = 2.0
        self._kernel = ""
        self._process = LastingProcess(self._start)

    @property
    def card(self) -> ModelCard:
        """See `Engine.card`."""
        return ModelCard(
            name=self._source.folder.name,
            source=str(self._source.folder),
            context_length=self._limit,
            thinks_on_request=self._encoder.thinks_on_request,
            calls_tools=self._encoder.calls_tools,
            details={
                "engine": "bigdl",
                "architecture": self._source.family,
                "low_bit": self._options.low_bit,
                "package": f"{self._environment.name} {self._environment.version}",
                "kernel": self._kernel,
                **kwargs_detail(self._options.chat_template_kwargs),
            },
        )

    @property
    def pid(self) -> int:
        """The id of the model's process."""
        return self._process.now.pid

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`."""
        return int(self._encoder.encode_text(text).get_shape()[1])

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        """See `Engine.generate`."""
        sampling = sampling or Sampling()
        check(sampling)
        if sampling.must_call and sampling.tools:
            schema = tool_calls.schema_of_call(sampling.tools)
        constraint = _constraint(schema) if schema is not None else None
        inbox = Inbox()
        number = next(self._numbers)
        text = await asyncio.to_thread(
            self._encoder.read, prompt, sampling.chat_template_kwargs, sampling.tools
        )
        ids = await asyncio.to_thread(self._encode, text)
        sampling = limited(sampling, len(ids), self._limit, self._options.default_max_tokens)
        reply = Reply(len(ids), sampling, self._encoder.decode)
        self._admit(number, reply, inbox)
        process: LineProcess | None = None

        def submit() -> None:
            nonlocal process
            process = self._process.running()
            request = {
                "input_ids": ids,
                "sampling": asdict(sampling),
                "constraint": constraint,
            }
            process.ask(number, request, lambda item: self._deliver(number, item))

        def cancel() -> None:
            if process is not None:
                process.cancel(number)

        chunks = inbox.chunks(submit, cancel)
        try:
            async with aclosing(
                self._encoder.separated(chunks, prompt, text, sampling, schema)
            ) as stream:
                async for chunk in stream:
                    yield chunk
        finally:
            self._release(number)

    async def close(self) -> None:
        """See `Engine.close`."""
        for number, (reply, inbox) in list(self._replies.items()):
            self._process.now.cancel(number)
            inbox.deliver(reply.end("cancelled"))
        await asyncio.to_thread(self._process.close)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._encoder.encode(text).data[0].tolist()
        return ids

    def _admit(self, number: int, reply: Reply, inbox: Inbox) -> None:
        running = self._options.max_running
        with self._counting:
            if len(self._replies) >= running + self._options.queue_limit:
                seconds = (len(self._replies) - running + 1) * self._seconds_per_request / running
                raise EngineBusy(max(1, min(60, round(seconds))))
            self._replies[number] = (reply, inbox)

    def _release(self, number: int) -> None:
        with self._counting:
            reply, _ = self._replies.pop(number)
            self._seconds_per_request += 0.2 * (reply.seconds - self._seconds_per_request)

    def _deliver(self, number: int, item: Answer | EngineError) -> None:
        """Runs on the thread that reads the process's lines."""
        if (found := self._replies.get(number)) is None:
            return
        reply, inbox = found
        chunk = item if isinstance(item, EngineError) else reply.take(item)
        if chunk is not None:
            inbox.deliver(chunk)
        if reply.stopped:
            self._process.now.cancel(number)

    def _start(self) -> LineProcess:
        """The process, on the fastest kernel that works here.

        A processor may have an instruction set that the system (a virtual machine, a container)
        does not let a program use; then the next kernel is tried.
        """
        names = kernel.kernels(cpu.shared_flags())
        if not names:
            raise EngineUnavailable("BigDL-LLM's kernels need a processor with AVX.")
        for name in names:
            stages: set[str] = set()
            try:
                with FileLock(self._folder / ".lock"):
                    process = self._start_with(name, stages)
            except ProcessDied:
                if "kernel" in stages or "imported" not in stages or name == names[-1]:
                    raise
                _log.warning("the kernel %s does not run here; the next one is tried", name)
                continue
            self._kernel = name
            return process
        raise AssertionError("the last kernel either ran or raised")

    def _start_with(self, name: str, stages: set[str]) -> LineProcess:
        chosen = self._options
        threads = chosen.threads or len(chosen.cores or topology.usable())

        def progress(told: Mapping[str, Any]) -> None:
            stages.add(told.get("stage", ""))
            if told.get("stage") == "quantizing":
                self._progress(told["done"], told["total"], "quantizing")

        return LineProcess(
            [str(self._environment.python), *self._command],
            # Threads that wait by spinning hold each other up wherever cores are shared.
            environment={"OMP_WAIT_POLICY": "PASSIVE"}
            | plain_environment()
            | {
                "LLAMA_CPP_LIB": str(self._environment.libraries / kernel.library(name)),
                "OMP_NUM_THREADS": str(threads),
                "HF_HUB_OFFLINE": "1",
                "TRANSFORMERS_OFFLINE": "1",
                "HF_HUB_DISABLE_TELEMETRY": "1",
                "DO_NOT_TRACK": "1",
            },
            folder=Path(__file__).parent,
            greeting={
                "op": "load",
                **self._source.order(),
                "package": self._environment.package,
                "low_bit": chosen.low_bit,
                "file": str(self._folder / f"{chosen.low_bit}.safetensors"),
                "fingerprint": self._fingerprint(),
                "threads": threads,
                "cores": chosen.cores,
                "max_running": chosen.max_running,
                "end_ids": sorted(self._end_ids),
                "vocabulary": [base64.b64encode(token).decode() for token in self._token_bytes],
            },
            progress=progress,
        )

    def _fingerprint(self) -> str:
        facts = (_FORMAT, self._environment.name, self._environment.version, self._options.low_bit)
        text = " ".join([*map(str, facts), self._source.fingerprint])
        return hashlib.sha256(text.encode()).hexdigest()


def _constraint(schema: Mapping[str, Any]) -> dict[str, str]:
    """A schema or grammar as the process takes it.  Raises UnsupportedOption."""
    text = json_schema.check(schema)
    grammar = compact_grammar.grammar(json.loads(text))
    return {"json_schema": text} if grammar is None else {"grammar": grammar}


def _own_folder(home: Path, checkpoint: Path) -> Path:
    """Where a checkpoint's low-bit file and tokenizer are kept."""
    place = hashlib.sha256(str(checkpoint.resolve()).encode()).hexdigest()[:8]
    folder = home / "engines" / "low-bit" / f"{checkpoint.resolve().name}-{place}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
