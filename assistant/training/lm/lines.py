"""Lines of any known form → what a method learns from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.training.dataset import DatasetInvalid, read_lines
from assistant.training.lm.settings import Method
from assistant.training.split import SharedText
from assistant.training.task_form import TaskForm

Messages = list[dict[str, str]]
_SHARED_RUN = 40


@dataclass(frozen=True, slots=True)
class Row:
    """``messages`` whose assistant's turns are learned; for preferences the ``prompt`` with the
    ``chosen`` and ``rejected`` text, or with a ``completion`` that is ``wanted`` or not; for
    pre-training a ``text``."""

    place: str
    messages: Messages = field(default_factory=list)
    chosen: str = ""
    rejected: str = ""
    completion: str = ""
    wanted: bool = True
    text: str = ""

    @property
    def content(self) -> str:
        """All that it says, to compare with other texts."""
        said = [message["content"] for message in self.messages]
        return "\n".join([*said, self.chosen, self.rejected, self.completion, self.text]).strip()


def read(files: Iterable[Path], method: Method) -> list[Row]:
    """The rows of files for ``method``.

    SFT: ``messages``, or ``input`` and ``target`` (PromptCBLUE), or ``prompt`` and ``chosen``.
    DPO: ``prompt``, ``chosen``, ``rejected``.  KTO: also ``prompt``, ``completion``, ``label``.
    Pre-training: ``text``, or plain text with an empty line between two, or a folder of .txt.

    Raises:
        DatasetInvalid: a file cannot be read, has a line of another form, or there is none.
    """
    rows: list[Row] = []
    for file in files:
        if file.is_dir():
            for one in sorted(file.glob("*.txt")):
                rows += _plain(one)
        elif method == "pretrain" and file.suffix == ".txt":
            rows += _plain(file)
        else:
            rows += [row for number, line in read_lines(file) if line.strip()
                     for row in _rows(line, f"{file.name}:{number}", method)]  # fmt: skip
    if not rows:
        raise DatasetInvalid(f"数据中没有可用于 {method} 的行。(No line fits this method.)")
    if method == "kto" and len({row.wanted for row in rows}) < 2:
        raise DatasetInvalid(
            "KTO 需要两类样本（采纳与否决），数据中只有一类；请改用 sft，或补充另一类。"
            "(KTO needs wanted and unwanted completions; there is one kind only.)"
        )
    return rows


def without(rows: Sequence[Row], apart: Iterable[str]) -> tuple[list[Row], int]:
    """The rows that share no 40 characters in a row with ``apart``, and how many did.

    The form of a task, as `TaskForm` has it, is not compared: all its rows would be left out.  What
    is shorter than 40 between it is shared where it is the same as a whole.
    """
    texts = list(apart)
    form = TaskForm(texts, [row.content for row in rows])
    known = SharedText((piece for text in texts for piece in form.pieces(text)), _SHARED_RUN)
    kept = [row for row in rows if not any(map(known.holds, form.pieces(row.content)))]
    return kept, len(rows) - len(kept)


def texts_of(file: Path) -> Iterator[str]:
    """Every text of a file of JSON lines that is long enough to be recognised: an evaluation set.

    Raises:
        DatasetInvalid: it cannot be read.
    """
    for _, line in read_lines(file):
        if line.strip():
            try:
                yield from (text for text in _strings(json.loads(line)) if len(text) >= 20)
            except ValueError as error:
                raise DatasetInvalid(f"{file} 不是 JSON 行。(No JSON lines.)") from error


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _plain(file: Path) -> list[Row]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetInvalid(f"{file} 不是 UTF-8 文本。(It cannot be read as UTF-8.)") from error
    parts = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return [Row(f"{file.name}:{number}", text=part) for number, part in enumerate(parts, 1)]


def _rows(line: str, place: str, method: Method) -> list[Row]:
    try:
        row = json.loads(line)
        return _read_row(row, place, method)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetInvalid(
            f"{place} 不是 {method} 能用的格式，见 docs/learning.md。"
            f"(This line is of no form that {method} knows; see docs/learning.md.)"
        ) from error


def _read_row(row: dict[str, Any], place: str, method: Method) -> list[Row]:
    if method == "pretrain":
        text = row["text"] if "text" in row else "\n".join(m["content"] for m in row["messages"])
        return [Row(place, text=str(text))]
    if method == "sft":
        if "messages" in row:
            if not isinstance(row["messages"], list):
                raise TypeError
            return [Row(place, _messages(row["messages"]))]
        if "input" in row:
            return [Row(place, _pair(row["input"], row["target"]))]
        prompt = _messages(row["prompt"])
        return [Row(place, [*prompt, {"role": "assistant", "content": str(row["chosen"])}])]
    prompt = _messages(row["prompt"])
    if method == "dpo":
        if "chosen" not in row:
            # A like or a dislike with nothing beside it: KTO's.
            row["completion"], row["label"]
            return []
        return [Row(place, prompt, chosen=_said(row["chosen"]), rejected=_said(row["rejected"]))]
    if "completion" in row:
        wanted = row["label"]
        if not isinstance(wanted, bool):
            raise TypeError
        return [Row(place, prompt, completion=_said(row["completion"]), wanted=wanted)]
    return [
        Row(place, prompt, completion=_said(row["chosen"]), wanted=True),
        Row(place, prompt, completion=_said(row["rejected"]), wanted=False),
    ]


def _messages(value: Any) -> Messages:
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not value:
        raise ValueError
    return [{"role": str(m["role"]), "content": _said(m["content"])} for m in value]


def _pair(asked: Any, answered: Any) -> Messages:
    return [
        {"role": "user", "content": _said(asked)},
        {"role": "assistant", "content": _said(answered)},
    ]


def _said(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
