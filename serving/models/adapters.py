"""Adapters that a model may be asked with: ``<home>/adapters/<model>/<name>/``, whole or not there.

What lies there is no copy of PEFT's folder but what the engine reads: the adapter beside the
graph's own projections (`serving.ir.low_rank`), and a description.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from serving.models import manifest
from serving.models.file_lock import FileLock
from serving.models.manifest import ModelInvalid, sha256_of
from serving.models.store import ModelStore

DESCRIPTION, WEIGHTS = "adapter.json", "adapter.safetensors"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class AdapterInvalid(ModelInvalid):
    """An adapter cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """``base_sha256``: what it fits (`serving.ir.base_shape.base_digest`).  ``rank``: the largest
    of one projection.  ``sha256``: of PEFT's weights, which it was made from."""

    name: str
    model: str
    base_sha256: str
    rank: int
    products: int
    bytes: int
    sha256: str
    source: str
    licence: str = ""


class AdapterStore:
    """The adapters of one data home."""

    def __init__(self, home: Path) -> None:
        """``home`` need not exist yet."""
        self._home = home
        self._adapters = home / "adapters"

    def add(self, name: str, folder: Path, model: str, licence: str = "") -> AdapterFacts:
        """Make ``folder``, as PEFT writes it, ready to be chosen for ``model``.

        Raises:
            AdapterInvalid: the adapter or its name cannot be used, or the model takes none.
            CatalogError: there is no such model.
            ModelInvalid: the model is not prepared.
        """
        from serving.ir import base_shape, low_rank
        from serving.ir.adapter import WEIGHTS_FILE
        from serving.ir.checkpoint import CheckpointError

        if not _NAME.fullmatch(name):
            raise AdapterInvalid(
                f"适配器不能叫 {name[:80]!r}。(Letters, digits, '.', '_' and '-' make a name.)"
            )
        base = Path(model) if Path(model).is_dir() else ModelStore(self._home).path(model)
        architecture = base_shape.read(base)
        if architecture is None:
            raise AdapterInvalid(
                f"模型 {model} 不带可切换适配器的结构：请重新转换它。(The model {model} was "
                "converted before adapters could be switched, or by another tool: convert it "
                "again.)"
            )
        if (stored := manifest.read(base).architecture) in ("chatglm",):
            raise AdapterInvalid(
                f"{stored} 结构的模型逐个作答，不能切换 LoRA 适配器：请合并。(A model of this "
                "architecture takes no LoRA adapter at run time; merge it with "
                "`bedside model convert --adapter`.)"
            )
        try:
            products = low_rank.beside(architecture, folder)
        except CheckpointError as error:
            raise AdapterInvalid(str(error)) from error
        full = manifest.read(base).settings.get("weights") == "fp32"
        target = self._place(model) / name
        made = target.with_name(f".{name}.new")
        with FileLock(self._home / "downloads" / ".adapters.lock"):
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir(parents=True)
            # Half of the numbers' bits are more than enough beside weights of four or eight.
            low_rank.write(made / WEIGHTS, products, "f32" if full else "f16")
            facts = AdapterFacts(
                name=name,
                model=target.parent.name,
                base_sha256=base_shape.base_digest(architecture),
                rank=max(len(of.down) for of in products.values()),
                products=len(products),
                bytes=(made / WEIGHTS).stat().st_size,
                sha256=sha256_of(folder / WEIGHTS_FILE),
                source=folder.resolve().name,
                licence=licence,
            )
            text = json.dumps(asdict(facts), ensure_ascii=False, indent=1)
            (made / DESCRIPTION).write_text(text + "\n", "utf-8")
            shutil.rmtree(target, ignore_errors=True)
            made.rename(target)
        return facts

    def list(self, model: str = "") -> list[AdapterFacts]:
        """Every adapter, or those of one model, by model and name; a broken one is left out."""
        found = []
        for path in sorted(self._adapters.glob(f"*/*/{DESCRIPTION}")):
            if path.parent.name.startswith("."):
                continue
            if model and path.parent.parent != self._place(model):
                continue
            try:
                found.append(facts(path.parent))
            except AdapterInvalid:
                continue
        return found

    def path(self, model: str, name: str) -> Path:
        """The folder of one adapter.

        Raises:
            AdapterInvalid: there is none of this name.
        """
        folder = self._place(model) / name
        if not _NAME.fullmatch(name) or not (folder / DESCRIPTION).is_file():
            known = ", ".join(one.name for one in self.list(model)) or "-"
            raise AdapterInvalid(
                f"模型 {model} 没有适配器 {name[:80]!r}，已有：{known}。(There is no such adapter; "
                f"add it with `bedside model adapter add NAME --folder DIR --to {model}`.)"
            )
        return folder

    def remove(self, model: str, name: str) -> None:
        """Forget one adapter.  Raises as `path` does."""
        shutil.rmtree(self.path(model, name))

    def _place(self, model: str) -> Path:
        """``model``: a name of the catalogue, or a folder, whose last part is its name here."""
        return self._adapters / Path(model).name


def facts(folder: Path) -> AdapterFacts:
    """What the description of an adapter says.

    Raises:
        AdapterInvalid: it cannot be read.
    """
    try:
        return AdapterFacts(**json.loads((folder / DESCRIPTION).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise AdapterInvalid(
            f"适配器 {folder.name} 已损坏：请重新添加。(The adapter is damaged; add it again.)"
        ) from error
