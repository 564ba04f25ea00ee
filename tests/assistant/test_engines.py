"""Which engines are opened, and when."""

from __future__ import annotations

from pathlib import Path

from assistant.engine_settings import EngineSettings
from assistant.engines import Engines
from assistant.settings import Settings


async def test_without_a_start_an_engine_is_opened_by_whoever_asks_for_it(tmp_path: Path) -> None:
    echo = EngineSettings(kind="echo", model="echo")
    settings = Settings(
        home=tmp_path, default_engine="one", panel=[], engines={"one": echo, "other": echo}
    )
    engines = Engines(settings)
    try:
        engine, _ = await engines.ready("one")
        assert engines.slots["one"].engine is engine
        assert engines.slots["other"].state == "loading"
        assert engines.slots["other"].engine is None
        engines.start()
        await engines.ready("other")
        assert engines.slots["one"].engine is engine
    finally:
        await engines.close()
