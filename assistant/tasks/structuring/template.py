"""Feature templates: a YAML file that names what to pull from a report.

A template has a ``name``, a ``title``, ``features``, and, where a report tells of several lesions,
``rows``: each lesion is then a row of the table.  The kinds of features are those of
`FeatureKind`; the shipped files in ``templates/`` show every one.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from knowledge.text.term_table import shipped_test

LARGEST = 200_000
"""Bytes of a template file."""


class TemplateError(Exception):
    """A template cannot be used; the message names the file, the line and what is wrong."""


class FeatureKind(StrEnum):
    """How a feature is read.

    ``presence`` 有, 无 or 可疑; ``choice`` the label of the option that is found; ``quantity`` a
    number with one of the units; ``test`` a laboratory result; ``marker`` what stands behind the
    name of a stain; ``text`` the group ``value`` of the pattern; ``sum`` the sum of those groups.

    A pattern that reaches over a possible denial marks what is denied as its group ``term``:
    ``胸腔[^,。]{0,8}?(?P<term>积液)``.
    """

    PRESENCE = "presence"
    CHOICE = "choice"
    QUANTITY = "quantity"
    TEST = "test"
    MARKER = "marker"
    TEXT = "text"
    SUM = "sum"


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[
    str, StringConstraints(min_length=1, max_length=2_000), AfterValidator(_compiles)
]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
_NEEDS: dict[FeatureKind, str] = {
    FeatureKind.PRESENCE: "find",
    FeatureKind.CHOICE: "options",
    FeatureKind.QUANTITY: "units",
    FeatureKind.TEST: "names",
    FeatureKind.MARKER: "names",
    FeatureKind.TEXT: "find",
    FeatureKind.SUM: "find",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Feature(_Strict):
    """One column.  ``find`` is where to look; ``scope`` "row" keeps to the row's own lesion,
    and "place", where it is told there, to the words between its place and its name.

    ``pick`` "listed" takes, of the options that are found, the one that the template lists first.
    ``unless`` is what a number belongs to where it stands nearer to it than the lesion of a row
    (than what ``find`` names, for a feature of the whole report).
    """

    name: Name
    title: str = Field(min_length=1, max_length=100)
    kind: FeatureKind
    find: Pattern | None = None
    options: dict[str, Pattern] = Field(default_factory=dict)
    units: list[str] = Field(default_factory=list)
    names: list[str] = Field(default_factory=list)
    unless: Pattern | None = None
    pick: Literal["first", "largest", "listed", "all"] = "first"
    scope: Literal["place", "row", "report"] = "report"

    @model_validator(mode="after")
    def _complete(self) -> Feature:
        needed = _NEEDS[self.kind]
        if not getattr(self, needed):
            raise ValueError(f"a feature of kind {self.kind} needs {needed}")
        if self.kind in (FeatureKind.TEXT, FeatureKind.SUM) and "(?P<value>" not in (
            self.find or ""
        ):
            raise ValueError(f"a feature of kind {self.kind} needs a group (?P<value>…) in find")
        if self.kind is FeatureKind.TEST:
            unknown = [name for name in self.names if shipped_test(name) is None]
            if unknown:
                raise ValueError(
                    f"no test is known by the name {', '.join(unknown)}; take the name that the "
                    "structured note of such a report gives it (concept), or kind text with a "
                    "pattern of your own"
                )
        return self


class Rows(_Strict):
    """What makes a row: a place (``place``) followed by a lesion (``find``) that is not denied."""

    find: Pattern
    place: Pattern


class Template(_Strict):
    """A whole template."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")
    title: str = Field(min_length=1, max_length=100)
    rows: Rows | None = None
    features: list[Feature] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _distinct(self) -> Template:
        names = [feature.name for feature in self.features]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"features named twice: {', '.join(twice)}")
        return self

    @cached_property
    def columns(self) -> list[str]:
        """The names of the features, in their order."""
        return [feature.name for feature in self.features]


def shipped_templates() -> list[str]:
    """The names of the templates that come with the product."""
    folder = files("assistant.tasks.structuring") / "templates"
    return sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name[-5:] == ".yaml")


def load_template(name: str) -> Template:
    """A shipped template by its name, or the template in a file.

    Raises:
        TemplateError: there is no such template, or the file is none.
    """
    if name in shipped_templates():
        return _shipped(name)
    file = Path(name)
    if not file.is_file():
        raise TemplateError(
            f"There is no template {name}: name a YAML file, or one of "
            f"{', '.join(shipped_templates())}."
        )
    try:
        if file.stat().st_size > LARGEST:
            raise TemplateError(f"{file}: larger than {LARGEST} bytes, which no template is.")
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{file} cannot be read as UTF-8 text: {error}.") from error
    return parse_template(text, str(file))


@cache
def _shipped(name: str) -> Template:
    path = files("assistant.tasks.structuring") / "templates" / f"{name}.yaml"
    return parse_template(path.read_text(encoding="utf-8"), f"{name}.yaml")


def parse_template(text: str, file: str) -> Template:
    """A template from YAML.  Raises `TemplateError`, which names ``file`` and the line."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TemplateError(f"{file}, line {line}: {error.problem or 'not YAML'}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise TemplateError(f"{file}, line 1: not YAML ({type(error).__name__}).") from error
    if root is None or not isinstance(data, dict):
        raise TemplateError(f"{file}, line 1: expected name, title and features.")
    try:
        return Template.model_validate(data)
    except ValidationError as error:
        reasons = [_told(item, root, file) for item in error.errors()[:10]]
        raise TemplateError("\n".join(reasons)) from error


def _told(item: Any, root: yaml.Node, file: str) -> str:
    place = ".".join(str(part) for part in item["loc"])
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{file}, line {_line(root, item['loc'])}: {f'{place}: ' if place else ''}{message}."


def _line(node: yaml.Node, location: tuple[int | str, ...]) -> int:
    """The line of the node at ``location``, or of the last one on the way that is there."""
    line = node.start_mark.line + 1
    for part in location:
        following: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    following, line = value, key.start_mark.line + 1
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value)
        ):
            following = node.value[part]
            line = following.start_mark.line + 1
        if following is None:
            return line
        node = following
    return line
