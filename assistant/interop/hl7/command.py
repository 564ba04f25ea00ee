"""``bedside hl7``: listen for HL7 v2 messages, read one, send one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from assistant.settings import Settings

app = typer.Typer(
    no_args_is_help=True, help="HL7 v2: listen for messages (MLLP), read one, send one."
)
AsJson = Annotated[bool, typer.Option("--json", help="The encounter as JSON.")]
HAND_ON_SECONDS = 5.0


@app.command(epilog="例 Example: bedside hl7 listen --host 10.0.0.5 --port 2575")
def listen(
    host: Annotated[str | None, typer.Option(help="Default: `hl7.host`.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: `hl7.port`.")] = None,
) -> None:
    """Take ADT, ORU and MDM messages until Ctrl-C; each is kept before it is acknowledged.

    MLLP has no encryption and no log-in: let only the integration engine reach the port.
    """
    import asyncio

    from assistant.commands.progress import console
    from assistant.libraries import log_to_stderr
    from assistant.settings import Settings

    settings = Settings()
    log_to_stderr(settings.log_level)
    address = (host or settings.hl7.host, port or settings.hl7.port)
    try:
        asyncio.run(_listen(settings, address))
    except OSError as error:
        raise typer.BadParameter(
            f"无法监听 {address[0]}:{address[1]}，请换地址或端口。"
            f"(Cannot listen there: {error.strerror}.)"
        ) from error
    except KeyboardInterrupt:
        console.print("已停止。(Stopped.)")


async def _listen(settings: Settings, address: tuple[str, int]) -> None:
    import asyncio
    import contextlib

    from assistant.commands.progress import console
    from assistant.interop.arrival import taker
    from assistant.interop.fhir.mapping import OWN_FILE, load
    from assistant.interop.handing import hand_on
    from assistant.interop.hl7.listener import Listener
    from assistant.interop.hl7.receiver import Receiver
    from assistant.opening import open_store

    store = open_store(settings)
    mapping = load(settings.home / OWN_FILE)
    default = "" if settings.hl7.encoding == "auto" else settings.hl7.encoding
    receiver = Receiver(store, default, settings.hl7.senders)
    came = asyncio.Event()
    listener = Listener(receiver.receive, on_message=came.set)

    async def hand() -> None:
        found = taker(settings, store)
        while True:
            await asyncio.to_thread(hand_on, store, found, mapping)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(came.wait(), HAND_ON_SECONDS)
            came.clear()

    bound = await listener.start(*address)
    console.print(f"正在监听 listening: {address[0]}:{bound} (MLLP)", highlight=False)
    handing = asyncio.create_task(hand())
    try:
        await listener.serve_forever()
    finally:
        handing.cancel()
        await asyncio.gather(handing, return_exceptions=True)
        await listener.stop()
        await asyncio.to_thread(store.close)


@app.command(epilog="例 Example: bedside hl7 read admit.hl7 result.hl7 --json")
def read(
    files: Annotated[list[Path], typer.Argument(help="One message a file, of one stay.")],
    as_json: AsJson = False,
) -> None:
    """Read messages of one stay as an encounter, in the order of their own time."""
    from assistant.interop.fhir.mapping import OWN_FILE, MappingInvalid, load
    from assistant.interop.hl7.identity import IdentityMissing, identity
    from assistant.interop.hl7.message import MessageInvalid
    from assistant.interop.hl7.message import read as read_message
    from assistant.interop.hl7.stay import encounter_of
    from assistant.record.fields import local_time
    from assistant.record.patient import SEX_ZH
    from assistant.settings import Settings

    try:
        found = [read_message(_bytes(file)) for file in files]
        found.sort(key=lambda m: str(local_time(m.written_at)) if m.written_at else "")
        who = [identity(message) for message in found]
        mapping = load(Settings().home / OWN_FILE)
    except (MessageInvalid, IdentityMissing, MappingInvalid) as error:
        raise typer.BadParameter(str(error)) from error
    stays = {one.encounter_id for one in who} - {""}
    if not stays:
        raise typer.BadParameter(
            "消息里没有就诊编号（PV1-19），请连同该次就诊的 ADT 消息一起读。"
            "(No message names its stay in PV1-19: read an ADT message of the stay with them.)"
        )
    if len({one.patient_id for one in who}) != 1 or len(stays) != 1:
        raise typer.BadParameter(
            "这些消息应属于同一患者的同一次就诊。(The messages must be of one stay of one patient.)"
        )
    encounter = encounter_of(found, who[0].patient_id, stays.pop(), mapping)
    if as_json:
        print(encounter.model_dump_json(indent=1))
        return
    patient, admitted = encounter.patient, encounter.admitted_at
    about = (
        *(patient.name, SEX_ZH.get(patient.sex or "", ""), patient.age_text, patient.id),
        *(f"就诊 {encounter.id}", encounter.department),
        f"入院 {admitted:%Y-%m-%d %H:%M}" if admitted else "",
    )
    print(" ".join(one for one in about if one) + "\n")
    for note in encounter.all_notes():
        print(f"【{note.title}】\n{note.text}\n")


@app.command(epilog="例 Example: bedside hl7 send admit.hl7 --port 2575")
def send(
    file: Annotated[Path, typer.Argument(help="One message.")],
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 2575,
) -> None:
    """Send one message over MLLP and show its acknowledgement; exit status 1 unless AA or CA."""
    from assistant.interop.hl7.sending import SendFailed
    from assistant.interop.hl7.sending import send as send_message

    try:
        code, text = send_message(
            host, port, _bytes(file).replace(b"\r\n", b"\r").replace(b"\n", b"\r")
        )
    except SendFailed as error:
        raise typer.BadParameter(str(error)) from error
    print(f"{code} {text}".strip())
    if code not in ("AA", "CA"):
        raise typer.Exit(1)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(
            f"无法读取 {file}，请检查路径。(The file cannot be read.)"
        ) from error
