"""The settings of one model: what runs it, with which numbers, and how it answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from serving.chat_options import THINKING
from serving.hardware.compute import Compute, KvCache

DEMO_MODEL = "qwen2.5-coder-0.5b-instruct"

_OWN_FIELDS = {
    "openvino": {
        "cache_gib",
        "precision",
        "kv_cache",
        "prompt_lookup",
        "draft",
        "reasoning_budget",
        "replicas",
        "adapters",
        "adapter",
        "prefix",
    },
    "bigdl": {"environment", "low_bit"},
    "remote": {"url", "urls", "api_key", "thinks_first"},
    "echo": set(),
}
"""What only one kind of engine has a use for."""
LOCAL_KINDS = ("openvino", "bigdl")
"""Kinds that compute on this machine."""
_MODEL_FIELDS = {"default_max_tokens", "enable_thinking", "chat_template_kwargs"}
"""What every kind but `echo`, which has no model, has a use for."""
_LOCAL_FIELDS = {"max_concurrent", "queue_limit", "threads", "cores"}


class EngineSettings(BaseModel):
    """One model to serve."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["openvino", "bigdl", "remote", "echo"] = Field(
        default="openvino",
        description="`openvino` runs a prepared model here; `bigdl` runs a Hugging Face checkpoint "
        "on BigDL-LLM's INT4 kernels (see bigdl.md); `remote` asks an OpenAI-compatible "
        "server; `echo` repeats its prompt and is for trying the product out without a model.",
    )
    model: str = Field(
        default=DEMO_MODEL,
        description="A catalogue name, or a folder with an OpenVINO model (for `bigdl`: with a "
        "checkpoint), or the model's name on the remote server.",
    )
    url: str = Field(default="", description="Remote only: base address, ending in /v1.")
    urls: list[str] = Field(
        default=[],
        max_length=64,
        description="Remote only, instead of `url`: several servers of the same model. The "
        "requests of one stay go to the same one, whose cache holds its record; one that cannot be "
        "reached is passed over.",
    )
    replicas: int = Field(
        default=1,
        ge=1,
        le=64,
        description="For `openvino` only: processes that serve this model beside each other, each "
        "with its own copy of the weights and its share of the processors; one a memory node on a "
        "machine with several.",
    )
    api_key: SecretStr = Field(default=SecretStr(""), description="Remote only: the server's key.")
    context_length: int = Field(
        default=0,
        ge=0,
        description="The most tokens of prompt and answer; 0 takes what the model declares.",
    )
    cache_gib: int = Field(default=1, ge=1, le=1024, description="Size of the KV cache in GiB.")
    max_concurrent: int = Field(default=8, ge=1, le=256, description="Requests in one batch.")
    queue_limit: int = Field(default=32, ge=1, description="Requests that may wait; more get 503.")
    threads: int = Field(default=0, ge=0, description="CPU threads; 0: one a core that it may use.")
    cores: str = Field(
        default="auto",
        pattern=r"^(auto|all|\d+(-\d+)?(,\d+(-\d+)?)*)$",
        description="Logical processors that the model's process keeps to: a list (`0-15,32-47`), "
        "`all`, or `auto`: on a machine with several sockets each engine gets one of them in turn, "
        "so that it reads its weights from its own memory.",
    )
    precision: Compute = Field(
        default="auto",
        description="What the model computes in: `int4` and `int8` say what its weights must be, "
        "`bf16` needs AMX or AVX-512 BF16, `auto` takes what is fastest here.",
    )
    kv_cache: KvCache = Field(
        default="auto", description="Numbers of the KV cache; `auto` is `u8`, the smallest."
    )
    prompt_lookup: bool = Field(
        default=False,
        description="Prompt-lookup decoding for the discharge record: much faster where the answer "
        "repeats the notes, for a second copy of the weights in memory.",
    )
    draft: str = Field(
        default="",
        description="For `openvino` only: a smaller model with the same tokens, by name or folder, "
        "that guesses tokens which this one checks several at a time; for greedy answers, and a "
        "second copy of the weights in memory. It is measured when the model is loaded, and given "
        "back where it does not pay. Not beside `prompt_lookup`.",
    )
    environment: Literal["bigdl", "ipex-llm"] = Field(
        default="bigdl",
        description="For `bigdl` only: the environment, as `bedside engine install` calls it.",
    )
    low_bit: Literal["sym_int4", "asym_int4", "sym_int8"] = Field(
        default="sym_int4", description="For `bigdl` only: how the weights are quantised."
    )
    default_max_tokens: int = Field(
        default=0,
        ge=0,
        description="Tokens of an answer where a request of the OpenAI-compatible API names no "
        "limit; 0: the rest of the context (`remote`: what the server chooses). An answer that is "
        "cut has `finish_reason` `length`.",
    )
    enable_thinking: bool | None = Field(
        default=None,
        description="Whether a model that can think before it answers does. Without it the tasks "
        "of Bedside ask a local model not to, where its chat template knows how, as the length of "
        "their answers leaves no room; the OpenAI-compatible API leaves it to the template.",
    )
    chat_template_kwargs: dict[str, bool | int | str] = Field(
        default_factory=dict,
        description="Other options of the model's chat template, for every chat whose request "
        "says nothing else of them.",
    )
    reasoning_budget: int = Field(
        default=0,
        ge=0,
        description="For `openvino` only: the most tokens that a model thinks before it answers; "
        "its thoughts are then closed and the answer begins. 0: no such limit.",
    )
    thinks_first: bool = Field(
        default=False,
        description="Remote only: each answer's text begins inside the model's thoughts, as with "
        "DeepSeek-R1 on a server without a reasoning parser. Needed only where the model's name "
        "does not tell.",
    )
    adapters: list[str] = Field(
        default=[],
        max_length=64,
        description="For `openvino` only: names of `bedside model adapter list` that requests may "
        "be answered with, one base in memory. Each is an engine `ENGINE:NAME` of its own, for "
        "`panel`, `assignments`, `shadow` and the OpenAI-compatible API, and approved by itself.",
    )
    adapter: str = Field(
        default="", description="Of an engine `ENGINE:NAME`, which `adapters` makes; not to be set."
    )
    prefix: str = Field(
        default="",
        description="For `openvino` only: a folder with a learned prefix (P-tuning v2 of ChatGLM, "
        "or PEFT's prefix tuning), which stands before every prompt. Such a model answers one "
        "request at a time and takes no JSON schema.",
    )
    demo_only: bool = Field(
        default=False,
        description="Show 仅供演示 beside this model's name, whatever is approved; models that are "
        "not approved (`bedside model approve`) show it anyway.",
    )

    @model_validator(mode="after")
    def _of_its_kind(self) -> EngineSettings:
        fields = set().union(*_OWN_FIELDS.values()) | _LOCAL_FIELDS | _MODEL_FIELDS
        used = _OWN_FIELDS[self.kind] | (set() if self.kind == "echo" else _MODEL_FIELDS)
        if self.kind in LOCAL_KINDS:
            used = used | _LOCAL_FIELDS
        if idle := sorted((self.model_fields_set & fields) - used):
            raise ValueError(f"{', '.join(idle)}: not for an engine of kind {self.kind}; remove it")
        if self.draft and self.prompt_lookup:
            raise ValueError("draft and prompt_lookup: give one of them")
        if self.url and self.urls:
            raise ValueError("url and urls: give one of them")
        return self

    @property
    def title(self) -> str:
        """The model's name, with its adapter's."""
        return f"{self.model}:{self.adapter}" if self.adapter else self.model

    @property
    def template_options(self) -> dict[str, bool | int | str]:
        """`chat_template_kwargs` with `enable_thinking` among them, where it is set."""
        thinking = {} if self.enable_thinking is None else {THINKING: self.enable_thinking}
        return {**self.chat_template_kwargs, **thinking}
