"""``bedside serve``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    replicas: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Processes that serve the default engine's model beside each other.",
        ),
    ] = None,
    hook_processes: Annotated[
        int | None,
        typer.Option(
            min=0, max=32, help="Processes that answer CDS Hooks beside the server, a core each."
        ),
    ] = None,
) -> None:
    """Serve the UI at / and the API, documented at /docs.

    Example: bedside serve --port 8080, or on two sockets: bedside serve --replicas 2
    """
    import uvicorn

    from assistant.application import build_app
    from assistant.commands.doctor import who_needs_a_key
    from assistant.commands.progress import console
    from assistant.libraries import log_to_stderr
    from assistant.settings import Settings

    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = Settings(**given)  # type: ignore[arg-type]
    if replicas is not None:
        settings = _with_replicas(settings, replicas)
    if hook_processes is not None:
        hooks = settings.hooks.model_copy(update={"processes": hook_processes})
        settings = settings.model_copy(update={"hooks": hooks})
    log_to_stderr(settings.log_level)
    application = build_app(settings)
    address = f"http://{settings.host}:{settings.port}"
    lines = [
        f"界面 UI        {address}/",
        f"接口文档 API   {address}/docs",
        "自带模型 your own model: bedside model add NAME --folder DIR, "
        "then [engines] in bedside.toml (README)",
    ]
    lines.append(who_needs_a_key(settings))
    if not application.state.services.store.approvals.in_force():
        lines.append(
            "没有经批准的模型：全部标注“仅供演示”，不得用于诊疗。"
            "No model is approved for care: bedside model approve"
        )
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
    uvicorn.run(
        application,
        host=settings.host,
        port=settings.port,
        http=_connections(application, settings),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


def _connections(application: FastAPI, settings: Settings) -> Any:
    """What makes the connections: where hooks have processes of their own, what hands them on."""
    if not settings.hooks.processes:
        return "auto"
    from assistant.interop.hooks.processes.pool import Pool

    pool = application.state.hook_pool = Pool(settings, application.state.metrics)
    return pool.door


def _with_replicas(settings: Settings, count: int) -> Settings:
    """The settings with so many processes for the default engine's model."""
    name = settings.default_engine
    engine = settings.engines[name]
    if engine.kind != "openvino":
        raise typer.BadParameter(
            f"引擎 {name} 的类型为 {engine.kind}，副本仅用于 openvino；远程服务请写 urls。"
            f"(Engine {name} is of kind {engine.kind}: replicas are for openvino.)"
        )
    engines = settings.engines | {name: engine.model_copy(update={"replicas": count})}
    return settings.model_copy(update={"engines": engines})
