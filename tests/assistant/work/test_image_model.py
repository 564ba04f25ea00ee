from __future__ import annotations

from pathlib import Path

import pytest

from assistant.work.image_model import need_image_model
from assistant.work.task import Refused
from serving.vision.store import catalogue


@pytest.mark.parametrize(
    ("task", "called"), [("classification", "没有这个分类模型"), ("detection", "没有这个检出模型")]
)
def test_an_unknown_image_model_is_refused_with_what_to_do(
    task: str, called: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=called) as refused:
        need_image_model(tmp_path, "none-such", task)
    assert "bedside model add-vision" in str(refused.value)


def test_a_model_of_the_catalogue_can_be_had(tmp_path: Path) -> None:
    need_image_model(tmp_path, next(iter(catalogue())), "detection")
