"""The sentences of the page 使用情况."""

from __future__ import annotations

ADOPTION_STRINGS: dict[str, tuple[str, str]] = {
    "adoption.none": ("还没有数据。", "Nothing yet."),
    "adoption.rate": (
        "使用率 {rate}（{eligible} 次符合条件的就诊中 {used} 次使用）",
        "Used in {rate} ({used} of {eligible} eligible encounters)",
    ),
    "adoption.meaning": (
        "符合条件：医院系统通知过、或有人提交过任务的就诊；使用：其中有草稿被回填或签名。",
        "Eligible: the hospital told of the stay, or something was asked for in it. Used: a draft "
        "of it was filled in or signed.",
    ),
    "adoption.export": ("导出 CSV", "Export CSV"),
    "adoption.stays": ("就诊", "Encounters"),
    "adoption.drafts_title": ("草稿", "Drafts"),
    "adoption.alerts": ("事中提示", "Alerts"),
    "adoption.rules": ("按规则", "By rule"),
    "adoption.rule": ("规则", "Rule"),
    "adoption.reasons": ("忽略的理由", "Why overridden"),
    "reason.known": ("已知晓并已评估", "Known and weighed"),
    "reason.benefit": ("获益大于风险", "Benefit outweighs risk"),
    "reason.monitored": ("已在监测", "Monitored"),
    "reason.not-applicable": ("与该患者不符", "Not this patient"),
    "reason.wrong": ("提示有误", "The alert is wrong"),
    "reason.in-words": ("另写理由", "In own words"),
    "reason.none": ("未写理由", "No reason"),
    "adoption.month": ("月份", "Month"),
    "adoption.department": ("科室", "Department"),
    "adoption.task": ("任务", "Task"),
    "adoption.model": ("模型", "Model"),
    "adoption.eligible": ("符合条件", "Eligible"),
    "adoption.used": ("使用", "Used"),
    "adoption.drafts": ("生成", "Made"),
    "adoption.opened": ("打开", "Opened"),
    "adoption.filled_in": ("回填", "Filled in"),
    "adoption.edited": ("修改", "Edited"),
    "adoption.signed": ("签名", "Signed"),
    "adoption.liked": ("有用", "Liked"),
    "adoption.disliked": ("无用", "Disliked"),
    "adoption.reported": ("识别错误", "Reported wrong"),
    "adoption.shown": ("提示", "Shown"),
    "adoption.accepted": ("采纳", "Accepted"),
    "adoption.overridden": ("忽略", "Overridden"),
}
