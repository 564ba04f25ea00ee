from __future__ import annotations

from pathlib import Path

import pytest

from serving.models import catalog
from serving.models.catalog import CatalogError, Entry


def test_the_demo_model_is_built_in_with_its_hash_and_mirrors_in_order() -> None:
    entry = catalog.built_in()[catalog.DEFAULT_MODEL]
    assert entry.sha256 == "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
    assert entry.bytes == 491_400_064
    assert entry.demo_only
    assert [mirror.kind for mirror in entry.mirrors] == [
        "huggingface",
        "modelscope",
        "python_packages",
    ]


def test_own_entries_are_kept_and_win(tmp_path: Path) -> None:
    mine = Entry(name=catalog.DEFAULT_MODEL, prepare="none", folder=tmp_path, licence="自用")
    catalog.save_own(tmp_path / "home", {mine.name: mine})
    assert catalog.own(tmp_path / "home") == {mine.name: mine}
    assert catalog.load(tmp_path / "home")[mine.name] == mine


@pytest.mark.parametrize(
    "text",
    [
        "models: [",
        "models: [{name: '../x', prepare: none, folder: /tmp}]",
        "models: [{name: x, prepare: none}]",
        "models: [{name: x, file: a/b.gguf, sha256: ''}]",
        "models: [{name: x, file: b.gguf}]",
        "models: [{name: x, file: b.gguf, sha256: abc}]",
        "models: [{name: x, prepare: none, folder: /tmp, colour: red}]",
        "3",
    ],
)
def test_a_broken_catalogue_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "catalog.yaml").write_text(text)
    with pytest.raises(CatalogError, match=r"catalog\.yaml"):
        catalog.load(tmp_path)
