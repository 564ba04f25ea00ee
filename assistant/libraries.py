"""What libraries log, send and fetch on their own."""

from __future__ import annotations

import logging
import os


def quiet_libraries() -> None:
    """Switch off what libraries would send or fetch on their own."""
    for name, value in {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TELEMETRY_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "1",
        "DO_NOT_TRACK": "1",
        "LANGSMITH_TRACING": "false",
        "LANGCHAIN_TRACING_V2": "false",
        "OPENVINO_TELEMETRY_OPT_OUT": "1",
        "OTEL_SDK_DISABLED": "true",
    }.items():
        os.environ[name] = value


def log_to_stderr(level: str) -> None:
    """Our own logs only, at ``level``; libraries at WARNING."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("bedside").setLevel(level)
