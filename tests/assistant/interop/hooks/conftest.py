from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.interop.hooks import assembling
from assistant.settings import Settings


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembling, "READER", "fhir_standin:encounter_from_bundle")


@pytest.fixture
def open_settings(settings: Settings) -> Settings:
    """Without tokens, for clients on this machine; a slow machine still has its cards."""
    hooks = settings.hooks.model_copy(update={"unsecured": True, "card_seconds": 10.0})
    return settings.model_copy(update={"hooks": hooks})


@pytest.fixture
def hooks(open_settings: Settings) -> Iterator[TestClient]:
    app = build_app(open_settings, with_ui=False)
    with TestClient(
        app,
        base_url="http://127.0.0.1",
        client=("127.0.0.1", 50000),
        raise_server_exceptions=False,
    ) as client:
        yield client
