from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from serving.models import package_index
from serving.models.package_index import PackageUnavailable, download

FILES = {
    "demo_pkg-1.0-cp311-cp311-linux_x86_64.whl": b"binary wheel",
    "demo_pkg-1.0-py3-none-any.whl": b"plain wheel",
    "demo_pkg-1.0.tar.gz": b"source",
    "demo_pkg-1.0.1.tar.gz": b"another version",
}


class Index:
    """A package index that speaks JSON, or only HTML; ``wrong`` makes its hashes lie."""

    def __init__(self, speaks: str = "json", wrong: bool = False) -> None:
        self.speaks, self.wrong, self.sent = speaks, wrong, 0
        self.app = Starlette(
            routes=[
                Route("/simple/demo-pkg/", self.listing),
                Route("/files/{name}", self.file),
            ]
        )

    def digest(self, name: str) -> str:
        return hashlib.sha256(FILES[name] + b"!" * self.wrong).hexdigest()

    async def listing(self, request: Request) -> Response:
        if self.speaks == "json":
            files = [
                {"filename": n, "url": f"../../files/{n}", "hashes": {"sha256": self.digest(n)}}
                for n in FILES
            ]
            return JSONResponse({"files": files}, media_type="application/vnd.pypi.simple.v1+json")
        links = [f'<a href="../../files/{n}#sha256={self.digest(n)}">{n}</a>' for n in FILES]
        return HTMLResponse("<html>" + "<br>".join(links))

    async def file(self, request: Request) -> Response:
        self.sent += 1
        return Response(FILES[request.path_params["name"]])


@pytest.fixture(autouse=True)
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


def use(index: Index, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", serve(index.app) + "/simple/")


@pytest.mark.parametrize("speaks", ["json", "html"])
@pytest.mark.parametrize(
    ("kind", "expected"), [("", b"plain wheel"), ("wheel", b"plain wheel"), ("sdist", b"source")]
)
def test_the_wanted_file_is_downloaded_once(
    tmp_path: Path, serve, monkeypatch, speaks: str, kind: str, expected: bytes
) -> None:
    index = Index(speaks)
    use(index, serve, monkeypatch)
    path = download("Demo_Pkg", "1.0", tmp_path, kind=kind)
    assert path.read_bytes() == expected
    assert download("demo.pkg", "1.0", tmp_path, kind=kind) == path
    assert index.sent == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_not_what_the_index_promises_is_refused(
    tmp_path: Path, serve, monkeypatch
) -> None:
    use(Index(wrong=True), serve, monkeypatch)
    with pytest.raises(PackageUnavailable, match="differs"):
        download("demo-pkg", "1.0", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("project", "version"), [("demo-pkg", "2.0"), ("other", "1.0")])
def test_what_the_index_does_not_have_is_named(
    tmp_path: Path, serve, monkeypatch, project: str, version: str
) -> None:
    use(Index(), serve, monkeypatch)
    with pytest.raises(PackageUnavailable, match=f"{project} {version}"):
        download(project, version, tmp_path)


def test_an_index_that_is_away_is_explained(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(PackageUnavailable, match="PIP_INDEX_URL"):
        download("demo-pkg", "1.0", tmp_path)


def test_a_folder_of_wheels_needs_no_index(tmp_path: Path, monkeypatch) -> None:
    links = tmp_path / "links"
    links.mkdir()
    for name, data in FILES.items():
        (links / name).write_bytes(data)
    monkeypatch.setenv("PIP_FIND_LINKS", f"file://{links}")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert download("demo-pkg", "1.0", tmp_path / "out").read_bytes() == b"plain wheel"


def test_without_a_setting_pip_says_which_index(monkeypatch) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    assert package_index.index_url().startswith("http")
