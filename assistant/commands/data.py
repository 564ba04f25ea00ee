"""``bedside data``: what a language model can be trained on, made from what is here."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from assistant.commands import out_folder
from assistant.commands.progress import console

if TYPE_CHECKING:
    from assistant.record.encounter import Encounter
    from assistant.training.data.line import Line

app = typer.Typer(no_args_is_help=True, help="Training data: build. 训练数据")

Kind = Literal["questions", "dialogues", "feedback", "checker"]
_OWN = "Apache-2.0 (curated base of Bedside)"
_HOSPITAL = "the hospital's own; not to be passed on"


@app.callback()
def _group() -> None:
    """So that ``build`` stays a word of its own."""


@app.command(
    epilog="例 Examples: bedside data build questions --cmekg pycmekg.tar.gz --out qa\n\n"
    "bedside data build feedback --out prefs\n\n"
    "bedside data build checker --record encounter.json --out faithful\n\n"
    "bedside train lm --model qwen --data qa/train.jsonl --out adapter"
)
def build(
    kind: Annotated[
        Kind,
        typer.Argument(
            help="questions and dialogues: from the curated base; feedback: preferences from what "
            "doctors signed, corrected, liked; checker: supported against wrong or left out."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for train, dev and test (JSON lines).")],
    cmekg: Annotated[
        Path | None, typer.Option(exists=True, help="CMeKG archive, for questions.")
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="A feedback export, instead of the store's feedback."
        ),
    ] = None,
    record: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, help="Encounters (JSON), for checker; default: the samples. Repeatable."
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            help="Key of the surrogates: the same key, the same surrogates. Default: drawn anew "
            "and forgotten."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Where chance begins.")] = 1,
) -> None:
    """Make de-identified training data, split by disease or patient, with a manifest.

    生成训练数据：问答、对话、偏好；默认去标识，按疾病或患者划分，逐行保留出处。
    """
    from assistant.training.data.build import build as write

    out_folder.check(out)
    key = _key(key_file)
    real: set[str] = set()
    lines: Iterator[Line]
    if kind in ("questions", "dialogues"):
        lines = _knowledge(kind, cmekg)
    elif kind == "feedback":
        lines = _feedback(pairs, key, real)
    else:
        lines = _checker(record, key, seed)
    licence = _OWN if kind in ("questions", "dialogues") or not record else _HOSPITAL
    licence = _HOSPITAL if kind == "feedback" else licence
    if cmekg is not None:
        licence += "; CMeKG: MIT (as declared)"
    made = write(list(lines), out, kind, licence, names=real, facts={"seed": seed})
    counts = "、".join(f"{name} {count}" for name, count in made.counts.items())
    console.print(
        f"已写入 written: {out}（{counts}；重复剔除 same left out {made.dropped}）",
        markup=False, highlight=False,
    )  # fmt: skip
    how = " --method dpo" if kind in ("feedback", "checker") else ""
    console.print(
        f"下一步 next: bedside train lm --model DIR --data {out / 'train.jsonl'}{how} --out DIR",
        markup=False, highlight=False,
    )  # fmt: skip


def _knowledge(kind: str, cmekg: Path | None) -> Iterator[Line]:
    from assistant.training.data import dialogues, questions
    from knowledge.clinical.entry import shipped_entries

    entries = shipped_entries()
    yield from (questions if kind == "questions" else dialogues).of_entries(entries)
    if cmekg is not None and kind == "questions":
        yield from questions.of_cmekg(cmekg)


def _feedback(pairs: Path | None, key: bytes, real: set[str]) -> Iterator[Line]:
    from assistant.opening import open_store
    from assistant.settings import Settings
    from assistant.store import Context
    from assistant.training.data.feedback import Disguise, lines

    disguise = Disguise(key)
    if pairs is None:
        store = open_store(Settings())
        rows = store.feedback_pairs(
            one_sided=True, disguise=disguise, actor=Context.operator("cli")
        )
    else:
        rows = _disguised(pairs, disguise)
    # Of a file it is not known whose a row is.
    yield from lines(rows, disguise.groups if pairs is None else None)
    real |= disguise.real_names


def _disguised(file: Path, disguise: Any) -> Iterator[dict[str, Any]]:
    """The rows of an export, whatever it was exported with, with surrogates."""
    texts = ("prompt", "chosen", "rejected")
    for number, row in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            value = json.loads(row)
            own = {name: value[name] for name in texts}
        except (ValueError, KeyError, TypeError):
            raise typer.BadParameter(
                f"{file}，第 {number} 行不是反馈导出的格式。"
                "(This line is no line of a feedback export.)"
            ) from None
        yield {**value, **disguise((f"{file.name}:{number}", ""), own)}


def _checker(record: list[Path] | None, key: bytes, seed: int) -> Iterator[Line]:
    from assistant.commands.check import findings_reader
    from assistant.training.data.faithful import lines

    yield from lines(_encounters(record), findings_reader(), key, seed)


def _encounters(record: list[Path] | None) -> Iterator[Encounter]:
    from importlib.resources import files

    from pydantic import ValidationError

    from assistant.commands.check import record_of
    from assistant.record.encounter import Encounter

    given = [
        file
        for path in record or [Path(str(files("assistant") / "samples" / "encounters"))]
        for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])
    ]
    for file in given:
        try:
            found = record_of(file.read_text(encoding="utf-8"), file.name)
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            raise typer.BadParameter(
                f"{file} 读不出来：{type(error).__name__}。(The file cannot be read.)"
            ) from None
        if not isinstance(found, Encounter):
            raise typer.BadParameter(f"{file} 不是住院病历。(This is no encounter in JSON.)")
        yield found


def _key(file: Path | None) -> bytes:
    """The key that a file holds; it is made where it is not there."""
    if file is None:
        return secrets.token_bytes(32)
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
    key = file.read_bytes().strip()
    if len(key) < 32:
        raise typer.BadParameter(f"{file} 中的密钥太短。(The key is shorter than 32 characters.)")
    return key
