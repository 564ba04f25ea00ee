"""The source's hashes, taken beside the conversion."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from complete_checkpoint import write_complete

from serving.ir.checkpoint_opening import open_checkpoint
from serving.ir.convert import ConversionError, convert
from serving.ir.digests import Digests
from serving.ir.safetensors_checkpoint import SafetensorsCheckpoint
from serving.models.manifest import sha256_of


def test_they_are_those_of_the_files(tmp_path: Path) -> None:
    source = write_complete(tmp_path / "source", shards=3)
    found = Digests(open_checkpoint(source)).result()
    assert found == {file.name: sha256_of(file) for file in source.glob("*.safetensors")}


def test_a_file_that_cannot_be_read_ends_the_conversion_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_complete(tmp_path / "source", shards=2)
    shard = next(source.glob("*.safetensors"))

    def broken(self: SafetensorsCheckpoint) -> dict[str, str]:
        raise OSError(errno.EIO, "Input/output error", str(shard))

    monkeypatch.setattr(SafetensorsCheckpoint, "digests", broken)
    with pytest.raises(ConversionError, match=shard.name):
        convert(source, tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
