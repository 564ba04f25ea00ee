"""One file of a published Python package, without installing or importing the package.

The index is the one that pip is configured to use: ``PIP_INDEX_URL``, pip's configuration, or
pip's own default; folders in ``PIP_FIND_LINKS`` come first.  Needs nothing of this project.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import httpx

Progress = Callable[[int, int, str], None]

_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_ENDINGS = (".whl", ".tar.gz", ".zip")


class PackageUnavailable(Exception):
    """The package cannot be had from the configured index; the message says what to do."""


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file that an index offers; ``sha256`` is empty where the index does not say."""

    name: str
    location: str
    sha256: str


def index_url() -> str:
    """The address of the simple index that pip is configured to use.

    Raises:
        PackageUnavailable: pip is missing and nothing else is configured.
    """
    if configured := os.environ.get("PIP_INDEX_URL"):
        return configured
    if configured := _pip("config", "get", "global.index-url"):
        return configured
    default = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    if built_in := _python("-c", default):
        return built_in
    raise PackageUnavailable("No package index is configured; set PIP_INDEX_URL.")


def download(
    project: str, version: str, dest: Path, progress: Progress | None = None, *, kind: str = ""
) -> Path:
    """Download one file of ``project`` at ``version`` into the folder ``dest``.

    Prefers a wheel that fits any platform, then the source archive; ``kind`` ("wheel" or "sdist")
    asks for one of them.  The file is checked against the index's SHA-256, and one that is there
    already is kept.  Nothing is installed or run.

    Raises:
        PackageUnavailable: the index cannot be reached, or has no such file, or sends another one.
    """

    def chosen_from(files: Iterator[PackageFile]) -> PackageFile | None:
        fitting = [file for file in files if _matches(file.name, project, version, kind)]
        return min(fitting, key=lambda file: _preference(file.name), default=None)

    chosen = chosen_from(_in_folders()) or chosen_from(_in_index(project))
    if chosen is None:
        raise PackageUnavailable(
            f"The package index has no {kind or 'file'} of {project} {version}."
        )
    dest.mkdir(parents=True, exist_ok=True)
    target = dest / chosen.name
    if target.is_file() and chosen.sha256 and _sha256(target) == chosen.sha256:
        return target
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        digest = _copy(chosen, partial, progress or (lambda done, total, what: None))
        if chosen.sha256 and digest != chosen.sha256:
            raise PackageUnavailable(f"{chosen.name} differs from what the package index promises.")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _in_folders() -> Iterator[PackageFile]:
    for place in os.environ.get("PIP_FIND_LINKS", "").split():
        folder = Path(unquote(urlsplit(place).path) if place.startswith("file:") else place)
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                yield PackageFile(path.name, str(path), "")


def _in_index(project: str) -> Iterator[PackageFile]:
    address = f"{index_url().rstrip('/')}/{_normal(project)}/"
    try:
        with _client() as client:
            response = client.get(address, headers={"Accept": _ACCEPT})
            response.raise_for_status()
    except httpx.HTTPStatusError as error:
        if error.response.status_code == 404:
            return
        raise PackageUnavailable(
            f"The package index answers {error.response.status_code} for {project}."
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PackageUnavailable(
            f"The package index cannot be reached ({type(error).__name__}); check the network or "
            "set PIP_INDEX_URL."
        ) from error
    yield from _listed(response)


def _listed(response: httpx.Response) -> Iterator[PackageFile]:
    base = str(response.url)
    if "json" in response.headers.get("content-type", ""):
        for file in response.json()["files"]:
            digest = str(file.get("hashes", {}).get("sha256", ""))
            yield PackageFile(str(file["filename"]), urljoin(base, file["url"]), digest)
        return
    links = _Links()
    links.feed(response.text)
    for link in links.found:
        location, fragment = urldefrag(urljoin(base, link))
        digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
        yield PackageFile(unquote(urlsplit(location).path.rpartition("/")[2]), location, digest)


class _Links(HTMLParser):
    """Collects the addresses of an index page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.found.append(address)


def _matches(name: str, project: str, version: str, kind: str) -> bool:
    wheel = name.endswith(".whl")
    if not name.endswith(_ENDINGS) or kind == ("sdist" if wheel else "wheel"):
        return False
    if wheel:
        parts = name.split("-")
        return len(parts) >= 5 and _normal(parts[0]) == _normal(project) and parts[1] == version
    stem = name.removesuffix(".tar.gz").removesuffix(".zip")
    head, _, tail = stem.rpartition("-")
    return _normal(head) == _normal(project) and tail == version


def _preference(name: str) -> int:
    return 0 if name.endswith("-any.whl") else 1 if not name.endswith(".whl") else 2


def _copy(file: PackageFile, target: Path, progress: Progress) -> str:
    """Copy or download ``file``; returns its SHA-256."""
    digest = hashlib.sha256()
    done = 0
    with target.open("wb") as out:
        for total, block in _blocks(file):
            out.write(block)
            digest.update(block)
            done += len(block)
            progress(done, total, file.name)
    return digest.hexdigest()


def _blocks(file: PackageFile) -> Iterator[tuple[int, bytes]]:
    """The file's bytes, each block with the file's size (0 where unknown)."""
    if "://" not in file.location:
        size = Path(file.location).stat().st_size
        with open(file.location, "rb") as source:
            while block := source.read(1 << 20):
                yield size, block
        return
    try:
        with _client() as client, client.stream("GET", file.location) as response:
            response.raise_for_status()
            size = int(response.headers.get("content-length", 0))
            for block in response.iter_bytes(1 << 20):
                yield size, block
    except httpx.HTTPError as error:
        raise PackageUnavailable(
            f"{file.name} cannot be downloaded ({type(error).__name__}); try again."
        ) from error


def _client() -> httpx.Client:
    return httpx.Client(
        follow_redirects=True,
        timeout=httpx.Timeout(60.0, connect=15.0),
        headers={"Accept-Encoding": "identity"},
    )


def _normal(project: str) -> str:
    return re.sub(r"[-_.]+", "-", project).lower()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pip(*arguments: str) -> str:
    return _python("-m", "pip", *arguments)


def _python(*arguments: str) -> str:
    """The first line that this Python prints for ``arguments``, or nothing when it fails."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    lines = done.stdout.split() if done.returncode == 0 else []
    return lines[0] if lines else ""
