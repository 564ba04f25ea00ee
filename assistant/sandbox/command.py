"""``bedside sandbox``: a small EMR to try Bedside in."""

from __future__ import annotations

from typing import Annotated

import typer


def sandbox(
    bedside: Annotated[str, typer.Option(help="Where Bedside runs.")] = "http://127.0.0.1:8000",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the EMR listens.")] = 8080,
    key: Annotated[
        str,
        typer.Option(envvar="BEDSIDE_SANDBOX_KEY", help="API key (role system), where needed."),
    ] = "",
    webhook_secret: Annotated[
        str,
        typer.Option(envvar="BEDSIDE_SANDBOX_SECRET", help="As embed.webhook.secret of Bedside."),
    ] = "bedside-sandbox-secret",  # noqa: S107 - of invented patients
    mllp_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where `bedside hl7 listen` runs; 0: nowhere.")
    ] = 0,
) -> None:
    """A small EMR with invented patients: fields, orders, users, FHIR store, message log.

    It listens on this machine alone, has no passwords and keeps nothing.  Bedside can also be
    launched from it (SMART App Launch); every other call of Bedside then needs a key.

    Example: bedside sandbox --bedside http://127.0.0.1:8000 --port 8080
    """
    import uvicorn

    from assistant.commands.progress import console
    from assistant.sandbox.app import build
    from assistant.sandbox.hospital import Hospital
    from assistant.sandbox.peer import Bedside

    if not bedside.startswith(("http://", "https://")):
        raise typer.BadParameter("--bedside 应为 http(s) 地址。(Give an http(s) address.)")
    own = f"http://127.0.0.1:{port}"
    hospital = Hospital()
    peer = Bedside(hospital, bedside, own, key, mllp_port)
    console.print(
        "\n".join(
            (
                f"电子病历沙盒 EMR sandbox: {own}/",
                f"Bedside: {peer.address}，其 bedside.toml 需要 its settings need:",
                "",
                "[hooks]",
                "unsecured = true",
                f'fhir_servers = ["{own}/fhir"]',
                "[embed]",
                f'origins = ["{own}"]',
                "[embed.webhook]",
                f'url = "{own}/webhook"',
                f'secret = "{webhook_secret}"',
                "# 由此页启动 Bedside（SMART），其他调用须有 API key，并以 --key 给出",
                "# to launch Bedside from the EMR; all other calls then need an API key (--key):",
                "[smart]",
                f'servers = ["{own}/fhir"]',
                'roles = { doctor = "doctor", nurse = "nurse" }',
            )
        ),
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    uvicorn.run(
        build(hospital, peer, webhook_secret),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
    )
