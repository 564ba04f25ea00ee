from __future__ import annotations

import multiprocessing
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from serving.engine import Sampling, complete
from serving.engines.openvino.engine import OpenVinoEngine
from serving.ir import convert as conversion
from serving.ir.convert import ConversionError
from serving.models import catalog, mirrors
from serving.models.catalog import CatalogError, Entry, PrecisionChoice
from serving.models.file_lock import FileLock
from serving.models.manifest import ModelInvalid
from serving.models.store import ModelStore


@pytest.fixture
def store(tmp_path: Path, tiny_gguf_file: Path) -> ModelStore:
    store = ModelStore(tmp_path / "home")
    store.add_gguf("tiny", tiny_gguf_file, licence="Apache-2.0")
    return store


def status(store: ModelStore, name: str) -> str:
    return next(line.status for line in store.list() if line.name == name)


async def test_a_gguf_file_is_prepared_and_serves(store: ModelStore) -> None:
    assert status(store, "tiny") == "missing"
    steps: list[str] = []
    folder = store.pull("tiny", lambda done, total, what: steps.append(what))
    assert {"converting weights", "writing"} <= set(steps)
    assert status(store, "tiny") == "ready"
    assert store.verify("tiny") == ()
    assert store.card("tiny").licence == "Apache-2.0"
    assert store.card("tiny").context_length == 4096
    engine = OpenVinoEngine(folder)
    assert engine.card.name == "tiny"
    assert (await complete(engine, "发热", Sampling(max_tokens=3))).usage.new_tokens == 3
    await engine.close()


def test_nothing_is_done_twice_and_nothing_is_left_behind(store: ModelStore, tmp_path) -> None:
    folder = store.pull("tiny")
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    store.pull("tiny")
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert [path.name for path in (tmp_path / "home/models").iterdir()] == ["tiny"]
    assert not (tmp_path / "home/downloads/tiny.gguf").exists()


def test_several_pulls_at_once_prepare_once(store: ModelStore, monkeypatch) -> None:
    converted: list[Path] = []
    convert = conversion.convert

    def counted(source: Path, target: Path, *rest: Any, **more: Any) -> Any:
        converted.append(target)
        return convert(source, target, *rest, **more)

    monkeypatch.setattr(conversion, "convert", counted)
    threads = [threading.Thread(target=store.pull, args=("tiny",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(converted) == 1


def test_a_damaged_file_is_found(store: ModelStore) -> None:
    folder = store.pull("tiny")
    with (folder / "openvino_model.bin").open("r+b") as file:
        file.write(b"\xff\xfe\xfd")
    (folder / "openvino_detokenizer.xml").unlink()
    assert set(store.verify("tiny")) == {"openvino_model.bin", "openvino_detokenizer.xml"}


def test_a_failed_conversion_leaves_no_model(
    store: ModelStore, tmp_path: Path, monkeypatch
) -> None:
    def broken(*given: Any) -> None:
        (given[3] / "openvino_model.xml").write_text("half")
        raise ConversionError("no")

    monkeypatch.setattr(conversion, "write_model", broken)
    with pytest.raises(ModelInvalid, match="no"):
        store.pull("tiny")
    assert list((tmp_path / "home/models").iterdir()) == []


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelInvalid, match=r"x\.gguf"):
        ModelStore(tmp_path).add_gguf("x", path)


def test_another_precision_prepares_anew(
    store: ModelStore, tiny_gguf_file: Path, tmp_path: Path
) -> None:
    folder = store.pull("tiny")
    size = (folder / "openvino_model.bin").stat().st_size
    entry = catalog.own(tmp_path / "home")["tiny"]
    store.add(entry.model_copy(update={"precision": PrecisionChoice(weights="fp16")}))
    assert store.pull("tiny") == folder
    assert (folder / "openvino_model.bin").stat().st_size > 2 * size
    assert store.verify("tiny") == ()


def test_an_exported_folder_is_used_where_it_lies(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    for path in tiny_folder.glob("openvino_*"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "config.json").write_text(
        '{"max_position_embeddings": 2048, "architectures": ["Qwen2ForCausalLM"]}'
    )
    (folder / "tokenizer_config.json").write_text(
        '{"added_tokens_decoder": {"1": {"content": "<|im_end|>", "special": true}}}'
    )
    store = ModelStore(tmp_path / "home")
    store.add_folder("ours", folder, licence="内部")
    assert store.pull("ours") == store.path("ours") == folder
    assert store.card("ours").context_length == 2048
    assert store.card("ours").licence == "内部"
    assert store.verify("ours") == ()
    store.remove("ours")
    assert folder.is_dir()
    with pytest.raises(CatalogError):
        store.path("ours")


def test_a_folder_without_a_model_cannot_be_added(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"openvino_model\.xml"):
        ModelStore(tmp_path).add_folder("x", tmp_path)


def test_names_cannot_lead_out_of_the_home(tmp_path: Path, tiny_folder: Path) -> None:
    with pytest.raises(CatalogError):
        ModelStore(tmp_path).add_folder("../x", tiny_folder)


def test_unknown_and_unprepared_models_say_what_to_do(store: ModelStore) -> None:
    with pytest.raises(CatalogError, match="tiny"):
        store.pull("huge")
    with pytest.raises(ModelInvalid, match="bedside model pull tiny"):
        store.path("tiny")


def test_remove_forgets_the_model(store: ModelStore) -> None:
    folder = store.pull("tiny")
    store.remove("tiny")
    assert not folder.exists()
    assert "tiny" not in {line.name for line in store.list()}


def test_a_broken_folder_can_be_removed_and_its_name_used_again(store: ModelStore) -> None:
    with pytest.raises(CatalogError, match="a model of the catalogue; choose another name"):
        store.new_folder(next(iter(catalog.built_in())))
    folder = store.new_folder("ours")
    folder.mkdir(parents=True)
    assert {line.name: line.status for line in store.list()}["ours"] == "broken"
    with pytest.raises(CatalogError, match="bedside model remove ours"):
        store.new_folder("ours")
    store.remove("ours")
    assert store.new_folder("ours") == folder
    assert not folder.exists()
    for name in ("..", ".hidden", "absent"):
        with pytest.raises(CatalogError):
            store.remove(name)


def test_a_model_that_cannot_be_had_leaves_the_store_usable(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv(mirrors.MIRROR_VARIABLE, raising=False)
    store = ModelStore(tmp_path)
    store.add(Entry(name="x", file="x.gguf", sha256="0" * 64))
    with pytest.raises(mirrors.ModelUnavailable):
        store.pull("x")
    assert status(store, "x") == "missing"


def _hold(path: Path, held: multiprocessing.synchronize.Event) -> None:
    with FileLock(path):
        held.set()
        os._exit(9)


def test_a_lock_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=_hold, args=(tmp_path / "lock", held))
    holder.start()
    holder.join()
    assert held.is_set()
    with FileLock(tmp_path / "lock"):
        assert (tmp_path / "lock").exists()
