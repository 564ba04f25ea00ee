"""The sentences of the page 系统."""

from __future__ import annotations

SYSTEM_STRINGS: dict[str, tuple[str, str]] = {
    "system.engines": ("模型", "Models"),
    "system.name": ("名称", "Name"),
    "system.kind": ("引擎", "Engine"),
    "system.model": ("模型", "Model"),
    "system.replicas": ("（副本 {up}/{all} 可用）", "({up} of {all} replicas)"),
    "system.state": ("状态", "State"),
    "system.ways": ("模型走到哪一步", "Where models stand"),
    "system.ways.hint": (
        "候选 → 影子运行 → 批准 → 监测 → 退回仅供演示。底线不成立时自动退回，由署名的人恢复："
        "bedside model reinstate。",
        "Candidate → shadow → approved → monitored → returned. A floor that breaks returns an "
        "approval; a person gives it again by name: bedside model reinstate.",
    ),
    "system.ways.now": ("现在", "Now"),
    "system.ways.way": ("经过", "How it came there"),
    "system.ways.floors": ("底线（最近均值）", "Floors (latest mean)"),
    "system.ways.few": ("{n}/{wanted} 份，未评", "{n} of {wanted} drafts: not judged"),
    "system.ways.tasks": ("任务 {what}", "tasks {what}"),
    "system.ways.answers": ("已答 {what}", "answered {what}"),
    "system.ways.counted": ("已计 {what} 份草稿", "{what} drafts counted"),
    "stage.configured": ("未批准", "Not approved"),
    "stage.candidate": ("候选", "Candidate"),
    "stage.shadow": ("影子运行", "Shadow"),
    "stage.approved": ("已批准", "Approved"),
    "stage.monitored": ("监测中", "Monitored"),
    "stage.returned": ("已退回仅供演示", "Returned"),
    "stage.revoked": ("已撤销", "Revoked"),
    "system.opened": ("打开用时", "Opened in"),
    "system.knowledge": ("知识库", "Knowledge base"),
    "system.version": ("版本", "Version"),
    "system.sources": ("来源", "Sources"),
    "system.licence": ("许可", "Licence"),
    "system.facts": ("事实", "Facts"),
    "system.passages": ("段落", "Passages"),
    "system.retrieval.hybrid": ("向量与词汇混合检索", "hybrid search"),
    "system.retrieval.lexical": ("仅词汇检索", "search by words only"),
    "system.vectors.starting": (
        "即将开始建立向量。在此之前检索只用词汇，其余功能照常。",
        "Vectors will be made now. Until then search is by words only; everything else works.",
    ),
    "system.vectors.running": (
        "正在建立向量：{done} / {total}（{share}）。在此之前检索只用词汇，其余功能照常。",
        "Vectors are being made: {done} of {total} ({share}). Until then search is by words only; "
        "everything else works.",
    ),
    "system.vectors.failed": (
        "向量没有建成，检索只用词汇：{reason}",
        "The vectors could not be made, search is by words only: {reason}",
    ),
    "system.audit": ("审计链", "Audit chain"),
    "system.verify": ("核验审计链", "Verify the chain"),
    "system.verify.hint": (
        "每条审计记录都带有上一条的哈希；核验会从头重算。",
        "Each row carries the hash of the one before; verifying computes all of them again.",
    ),
    "system.verified": ("完整：{n} 条记录，链首尾一致。", "Intact: {n} rows."),
    "system.broken": ("不完整：第 {seq} 条。{reason}", "Broken at row {seq}. {reason}"),
    "system.add": ("使用自己的模型", "Bring your own model"),
    "system.add.text": (
        "演示模型只用来试用流程。把自己的模型加进来，再在配置文件中写上它：",
        "The demo model only shows how things work. Add your own and name it in the "
        "configuration file:",
    ),
    "system.releases": ("影像结果回填", "Filling in imaging results"),
    "system.releases.hint": (
        "影像任务的结果仅供研究，默认不能回填；由管理员以姓名和理由逐项开启：",
        "Results of imaging tasks are for research and are not filled in until an administrator "
        "switches that on, by name and reason:",
    ),
    "system.release.on": ("可回填", "may be filled in"),
    "system.release.off": ("仅供研究", "research only"),
    "system.api": ("接口", "API"),
    "system.docs": ("接口文档", "API documentation"),
    "system.missing": ("缺少什么", "What is missing"),
    "system.complete": ("所需部件齐全。", "Everything that is needed is here."),
}
