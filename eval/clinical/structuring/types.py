"""What data sets call the types of entities → the types of the product.

The names of the usual sets are known (those that the recogniser's training data have).  A file
adds others or takes a type out of the score::

    equ: procedure
    imaging: procedure
    dep: null

It holds for gold and predictions alike, so a type of the product that a set does not tell apart
can be mapped as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from assistant.tasks.structuring.span import EntityType
from eval.clinical.structuring.document import Item, Items, entity
from eval.errors import InputError
from eval.json_lines import read_text

_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class TypeNames:
    """The given names, before those that are known; None takes a type out of the score."""

    given: Mapping[str, EntityType | None] = field(default_factory=dict)

    def of(self, name: str) -> str | None:
        """The type that ``name`` means: the product's, ``name`` itself where it is not known, or
        None where it is taken out."""
        from assistant.tasks.structuring.recognizer import LABELS

        if name in self.given:
            kind = self.given[name]
        else:
            kind = LABELS.get(name.rpartition("/")[2])
            if kind is None:
                return name
            kind = self.given.get(kind.value, kind)
        return None if kind is None else kind.value

    def renamed(self, items: Items) -> tuple[Items, Items]:
        """(entities with the types that theirs mean, entities that are taken out)."""
        kept, out = set(), set()
        for item in items:
            kind = self.of(item.kind)
            if kind is None:
                out.add(item)
            else:
                kept.add(_of_type(item, kind))
        return frozenset(kept), frozenset(out)


def is_known(kind: str) -> bool:
    """Whether the product's recognisers have such a type."""
    return kind in set(EntityType)


def _of_type(item: Item, kind: str) -> Item:
    return entity(int(item.key[0]), int(item.key[1]), kind)


def read_types(path: Path) -> TypeNames:
    """The names of a YAML file.

    Raises:
        InputError: with file, line and the name.
    """
    try:
        root = yaml.compose(read_text(path), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        raise InputError(path, line, "this is not YAML; write a line a type, gold: ours.") from None
    if not isinstance(root, yaml.MappingNode):
        raise InputError(path, 1, "write a line a type, gold: ours.")
    names: dict[str, EntityType | None] = {}
    for key, value in root.value:
        line = key.start_mark.line + 1
        name = str(key.value)
        if not isinstance(key, yaml.ScalarNode) or name in names:
            raise InputError(path, line, "a type is named once, by text.", name)
        names[name] = _meant(path, line, name, value)
    return TypeNames(names)


def _meant(path: Path, line: int, name: str, value: yaml.Node) -> EntityType | None:
    if value.tag == _NULL:
        return None
    if isinstance(value, yaml.ScalarNode) and is_known(value.value):
        return EntityType(value.value)
    choices = ", ".join(kind.value for kind in EntityType)
    raise InputError(path, line, f"one of {choices}, or null, is needed.", name)
