"""The sentences of the page 脑灌注, in Chinese and English."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "perfusion.series": ("灌注序列（可多选）", "Perfusion series (one or several)"),
    "perfusion.method": ("方法", "Method"),
    "perfusion.step": (
        "时相间隔 s（文件未注明时）",
        "Seconds between volumes (if not in the files)",
    ),
    "perfusion.run": ("一键分析", "Analyse"),
    "perfusion.map": ("图", "Map"),
    "perfusion.choose": ("请先选择灌注序列。", "Choose the perfusion series first."),
    "perfusion.lesion": ("核心与低灌注", "Core and hypoperfused"),
    "perfusion.curves": ("动静脉与组织曲线", "Curves"),
    "perfusion.delay": ("延迟", "Delay"),
    "perfusion.region": ("区域", "Region"),
    "perfusion.volume": ("体积 ml", "Volume, ml"),
    "perfusion.left": ("左", "Left"),
    "perfusion.right": ("右", "Right"),
    "perfusion.ratio": ("左/右", "Left/right"),
    "perfusion.core_ml": ("梗死核心", "Core"),
    "perfusion.penumbra_ml": ("Tmax > 6 s", "Tmax > 6 s"),
    "perfusion.mismatch_ml": ("不匹配", "Mismatch"),
    "perfusion.doubts": ("存疑", "Doubtful"),
}
