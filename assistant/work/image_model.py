"""Whether an image model that a request names is there."""

from __future__ import annotations

from pathlib import Path

from assistant.work.task import Refused

_CALLED = {"classification": ("分类模型", "classifier"), "detection": ("检出模型", "detector")}


def need_image_model(home: Path, name: str, task: str) -> None:
    """Raise `Refused` where the data home holds no image model ``name``; says which there are for
    ``task`` (classification or detection), and how another is registered."""
    from serving.vision.store import VisionStore

    store = VisionStore(home)
    if store.holds(name):
        return
    known = "、".join(store.names(task)) or "无"
    zh, en = _CALLED[task]
    raise Refused(
        f"没有这个{zh}，可选：{known}；请用 bedside model add-vision 登记。"
        f"(There is no such {en}; register one by `bedside model add-vision`.)"
    )
