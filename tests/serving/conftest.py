"""A prepared model of random weights, and the demo model where it is present."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import platformdirs
import pytest
import pytest_asyncio
import uvicorn

sys.path.insert(0, str(Path(__file__).parent))

import tiny_gguf

from serving.engines.openvino.engine import OpenVinoEngine
from serving.ir.convert import convert
from serving.models.catalog import DEFAULT_MODEL


@pytest.fixture(scope="session")
def tiny_gguf_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="session")
def tiny_folder(tiny_gguf_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted") / "tiny"
    convert(tiny_gguf_file, folder)
    return folder


@pytest_asyncio.fixture
async def tiny_engine(tiny_folder: Path) -> AsyncIterator[OpenVinoEngine]:
    engine = OpenVinoEngine(tiny_folder)
    yield engine
    await engine.close()


@contextmanager
def run_server(app: Any) -> Iterator[str]:
    """Serve an ASGI app on a free loopback port; yields its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


Serve = Callable[[Any], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts ASGI apps for the time of a test."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(run_server(app))


@pytest.fixture(scope="session")
def demo_folder() -> Path:
    home = Path(os.environ.get("BEDSIDE_HOME") or platformdirs.user_data_dir("bedside"))
    folder = home / "models" / DEFAULT_MODEL
    if not folder.is_dir():
        pytest.skip("the demo model is not prepared; `bedside model pull` prepares it")
    return folder
