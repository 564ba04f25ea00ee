from __future__ import annotations

from pathlib import Path

import pytest

from assistant.tasks.structuring.template import (
    TemplateError,
    load_template,
    parse_template,
    shipped_templates,
)

GOOD = """\
name: mine
title: 我的模板
features:
  - name: stone
    title: 结石
    kind: presence
    find: 结石
"""


def test_the_shipped_templates_load() -> None:
    assert shipped_templates() == ["chest-ct", "laboratory", "pathology"]
    for name in shipped_templates():
        assert load_template(name).name == name
    assert len(load_template("chest-ct").columns) >= 32
    assert len(load_template("pathology").columns) >= 50


def test_a_template_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_template(str(path)).columns == ["stone"]


@pytest.mark.parametrize(
    ("wrong", "line", "told"),
    [
        (GOOD.replace("find: 结石", "find: '(结石'"), 7, "regular expression"),
        (GOOD.replace("    find: 结石\n", ""), 4, "needs find"),
        (GOOD.replace("kind: presence", "kind: guess"), 6, "kind"),
        (GOOD.replace("kind: presence", "kind: text"), 4, "value"),
        (GOOD.replace("title: 结石", "titel: 结石"), 5, "titel"),
        (GOOD + "  - {name: stone, title: 二, kind: presence, find: 石}\n", 1, "twice"),
        (GOOD + "   bad indent\n", 8, ""),
        (GOOD.replace("presence\n    find: 结石", "test\n    names: [钾石]"), 4, "钾石"),
        ("- a\n- b\n", 1, "expected"),
        ("", 1, "expected"),
        ("name: [\n", 2, ""),
    ],
)
def test_errors_name_file_and_line(wrong: str, line: int, told: str) -> None:
    with pytest.raises(TemplateError, match=rf"(?m)^mine\.yaml, line {line}: .*{told}"):
        parse_template(wrong, "mine.yaml")


def test_an_unknown_template_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="chest-ct"):
        load_template("no-such")
    binary = tmp_path / "a.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TemplateError, match=r"a\.yaml"):
        load_template(str(binary))
