"""One base in memory, and adapters chosen by request: each gives its own tokens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from complete_checkpoint import write_complete
from lora_files import write_adapter
from tiny_checkpoint import write_safetensors

from serving.engine import EngineUnavailable, Message, Sampling, UnsupportedOption, complete
from serving.engines.adapted import AdaptedEngine
from serving.engines.openvino.engine import OpenVinoEngine, OpenVinoOptions
from serving.ir.adapter import WEIGHTS_FILE
from serving.ir.convert import convert
from serving.ir.formats import Precision
from serving.models.adapters import DESCRIPTION, AdapterInvalid, AdapterStore
from serving.models.store import ModelStore

PROMPT = [Message("user", "患者发热三天，伴咳嗽、咳痰，无胸痛。" * 6)]
"""Longer than some blocks of the cache, so that its beginning is found again."""

LAYERS = ("model.layers.0", "model.layers.1")
FIRST = [f"{at}.{name}" for at in LAYERS for name in ("self_attn.q_proj", "self_attn.v_proj")]
SECOND = [
    "model.layers.0.self_attn.k_proj",
    "model.layers.1.self_attn.o_proj",
    "model.layers.0.mlp.gate_proj",
    "model.layers.0.mlp.up_proj",
    "model.layers.1.mlp.down_proj",
]
MODULES = {"first": FIRST, "second": SECOND}
EXACT = OpenVinoOptions(precision="f32", kv_cache="f32")


@dataclass
class Prepared:
    """A base in full precision, its adapters as PEFT writes them, and the store of both."""

    home: Path
    source: Path
    folders: dict[str, Path]

    @property
    def base(self) -> Path:
        return self.home / "models" / "base"

    def places(self) -> dict[str, str]:
        store = AdapterStore(self.home)
        return {name: str(store.path("base", name)) for name in self.folders}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    root = tmp_path_factory.mktemp("adapters")
    source = write_complete(root / "source", dtype="float32")
    home = root / "home"
    convert(source, home / "models" / "base", Precision("fp32"))
    folders = {
        name: write_adapter(root / name, source, modules, rank=rank)
        for (name, modules), rank in zip(MODULES.items(), (4, 6), strict=True)
    }
    for name, folder in folders.items():
        AdapterStore(home).add(name, folder, "base")
    return Prepared(home, source, folders)


@pytest.fixture(scope="module")
def engine(prepared: Prepared) -> Iterator[OpenVinoEngine]:
    options = OpenVinoOptions(precision="f32", kv_cache="f32", adapters=prepared.places())
    opened = OpenVinoEngine(prepared.base, options)
    yield opened
    asyncio.run(opened.close())


async def ids(engine: OpenVinoEngine, adapter: str, tokens: int = 24) -> list[int]:
    found: list[int] = []
    async for chunk in engine.generate(PROMPT, Sampling(max_tokens=tokens, adapter=adapter)):
        found += chunk.token_ids
    return found


@pytest.fixture(scope="module")
def expected(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """What the base and the merged models say, each in an engine of its own."""

    async def of(folder: Path) -> list[int]:
        alone = OpenVinoEngine(folder, EXACT)
        try:
            return await ids(alone, "")
        finally:
            await alone.close()

    root = tmp_path_factory.mktemp("merged")
    for name, adapter in prepared.folders.items():
        convert(prepared.source, root / name, Precision("fp32"), adapter=adapter)
    places = {"": prepared.base} | {name: root / name for name in prepared.folders}
    return {name: asyncio.run(of(folder)) for name, folder in places.items()}


def test_each_adapter_says_what_the_merged_model_says(
    engine: OpenVinoEngine, expected: dict[str, list[int]]
) -> None:
    assert len({tuple(answer) for answer in expected.values()}) == 3
    assert engine.card.adapters == ("first", "second")

    async def turns() -> None:
        # In every order, each after each other and after itself.
        for name in ("", "first", "first", "second", "", "second", "first", "", ""):
            assert await ids(engine, name) == expected[name], name

    asyncio.run(turns())


def test_requests_that_come_together_keep_apart(
    engine: OpenVinoEngine, expected: dict[str, list[int]]
) -> None:
    names = ["first", "", "second", "first", "second", "", "first", "second"]

    async def together() -> list[list[int]]:
        return await asyncio.gather(*(ids(engine, name) for name in names))

    for name, found in zip(names, asyncio.run(together()), strict=True):
        assert found == expected[name], name


def test_an_adapter_is_an_engine_of_its_own(
    engine: OpenVinoEngine, expected: dict[str, list[int]]
) -> None:
    adapted = AdaptedEngine(engine, "second")
    assert adapted.card.name == "base:second"
    answer = asyncio.run(complete(adapted, PROMPT, Sampling(max_tokens=24)))
    plain = asyncio.run(complete(engine, PROMPT, Sampling(max_tokens=24, adapter="second")))
    assert answer.text == plain.text
    assert answer.usage.new_tokens == len(expected["second"])


def test_what_cannot_be_asked_is_refused_and_hurts_nobody(
    engine: OpenVinoEngine, expected: dict[str, list[int]]
) -> None:
    async def asked(**options: object) -> None:
        await complete(engine, PROMPT, Sampling(max_tokens=4, **options))  # type: ignore[arg-type]

    with pytest.raises(UnsupportedOption, match="first, second"):
        asyncio.run(asked(adapter="third"))
    with pytest.raises(UnsupportedOption, match="repetition_penalty"):
        asyncio.run(asked(adapter="first", repetition_penalty=1.1))
    asyncio.run(asked(repetition_penalty=1.1))
    assert asyncio.run(ids(engine, "first")) == expected["first"]


def test_an_adapter_of_another_base_is_refused(prepared: Prepared, tmp_path: Path) -> None:
    store = AdapterStore(prepared.home)
    other = write_complete(tmp_path / "other", hidden=96, heads=6)
    strange = write_adapter(tmp_path / "strange", other, FIRST)
    with pytest.raises(AdapterInvalid, match="trained on another model"):
        store.add("strange", strange, "base")
    convert(other, prepared.home / "models" / "other")
    store.add("strange", strange, "other")
    place = str(store.path("other", "strange"))
    with pytest.raises(EngineUnavailable, match="trained on another model"):
        OpenVinoEngine(prepared.base, OpenVinoOptions(adapters={"strange": place}))
    store.remove("other", "strange")
    ModelStore(prepared.home).remove("other")
    # The same shapes, but the file says that it is of something else.
    file = prepared.folders["first"] / WEIGHTS_FILE
    told = tmp_path / "told"
    told.mkdir()
    (told / "adapter_config.json").write_bytes((file.parent / "adapter_config.json").read_bytes())
    raw = file.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length]) | {"__metadata__": {"base_sha256": "0" * 64}}
    head = json.dumps(header).encode()
    (told / WEIGHTS_FILE).write_bytes(len(head).to_bytes(8, "little") + head + raw[8 + length :])
    with pytest.raises(AdapterInvalid, match="hash is 000000000000"):
        store.add("told", told, "base")


def test_what_can_only_be_merged_says_so(prepared: Prepared, tmp_path: Path) -> None:
    store = AdapterStore(prepared.home)
    for name, folder in {
        "dora": write_adapter(tmp_path / "dora", prepared.source, FIRST[:1], lengths=True),
        "table": write_adapter(tmp_path / "table", prepared.source, ["model.embed_tokens"]),
        "whole": write_adapter(
            tmp_path / "whole", prepared.source, FIRST[:1], whole=["model.norm.weight"]
        ),
    }.items():
        with pytest.raises(AdapterInvalid, match="can only be merged"):
            store.add(name, folder, "base")


def test_the_store_lists_and_forgets(prepared: Prepared, tmp_path: Path) -> None:
    store = AdapterStore(prepared.home)
    for name in ("../x", "", "a:b"):
        with pytest.raises(AdapterInvalid):
            store.add(name, prepared.folders["first"], "base")
        with pytest.raises(AdapterInvalid):
            store.path("base", name)
    made = store.add("third", prepared.folders["second"], "base", licence="MIT")
    assert (made.rank, made.products, made.licence) == (12, 4, "MIT")
    assert [one.name for one in store.list("base")] == ["first", "second", "third"]
    place = store.path("base", "third")
    (place / DESCRIPTION).write_text("{")
    assert [one.name for one in store.list()] == ["first", "second"]
    with pytest.raises(EngineUnavailable, match="damaged"):
        OpenVinoEngine(prepared.base, OpenVinoOptions(adapters={"third": str(place)}))
    store.remove("base", "third")
    with pytest.raises(AdapterInvalid, match="no such adapter"):
        store.remove("base", "third")
    half = tmp_path / "half"
    half.mkdir()
    with pytest.raises(AdapterInvalid, match="cannot be read"):
        store.add("half", half, "base")
    write_safetensors(half / WEIGHTS_FILE, {}, "float32")
    with pytest.raises(AdapterInvalid, match="cannot be read"):
        store.add("half", half, "base")


def test_nobody_who_waits_for_another_adapter_is_passed(engine: OpenVinoEngine) -> None:
    ended: list[str] = []

    async def asked(name: str, adapter: str, tokens: int) -> None:
        await ids(engine, adapter, tokens)
        ended.append(name)

    async def until(count: int) -> None:
        async with asyncio.timeout(60):
            while engine.waiting < count:
                await asyncio.sleep(0)

    async def turns() -> None:
        long = engine.generate(PROMPT, Sampling(max_tokens=400, adapter="first"))
        await anext(long)
        other = asyncio.create_task(asked("other", "second", 4))
        await until(1)
        later = asyncio.create_task(asked("later", "first", 4))
        await until(2)
        assert engine.running == 1
        await long.aclose()
        await asyncio.gather(other, later)

    asyncio.run(turns())
    assert ended == ["other", "later"]
