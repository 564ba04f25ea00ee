from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.engine_settings import EngineSettings
from assistant.interop.hooks import routes
from assistant.interop.settings import HookSettings
from assistant.settings import Settings

Serve = Callable[[HookSettings], TestClient]


@pytest.fixture(autouse=True, scope="module")
def no_warming() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routes, "WARM_AFTER", 3600.0)
        yield


@pytest.fixture(scope="module")
def serve(
    tmp_path_factory: pytest.TempPathFactory, empty_database: Path, knowledge_folder: Path
) -> Iterator[Serve]:
    """Opens an application with these settings of hooks; closed behind the module."""
    opened: list[TestClient] = []

    def start(hooks: HookSettings) -> TestClient:
        home = tmp_path_factory.mktemp("home")
        shutil.copy(empty_database, home)
        (home / "knowledge").symlink_to(knowledge_folder)
        settings = Settings(
            home=home,
            engines={"demo": EngineSettings(kind="echo", demo_only=True)},
            encoder="hashing",
            hooks=hooks,
        )
        client = TestClient(
            build_app(settings, with_ui=False),
            base_url="http://127.0.0.1",
            client=("127.0.0.1", 50000),
            raise_server_exceptions=False,
        )
        opened.append(client.__enter__())
        return opened[-1]

    yield start
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture(scope="module")
def hooks(serve: Serve) -> TestClient:
    """Without tokens, for clients on this machine; a slow machine still has its cards."""
    return serve(HookSettings(unsecured=True, card_seconds=60))
