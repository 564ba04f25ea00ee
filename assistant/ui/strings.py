"""The sentences that the pages share, in Chinese and English; each task brings its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from assistant.draft import DISCLAIMER_EN, DISCLAIMER_ZH
from assistant.ui.review.strings import REVIEW_STRINGS
from assistant.ui.texts.adoption import ADOPTION_STRINGS
from assistant.ui.texts.record_search import RECORD_SEARCH_STRINGS
from assistant.ui.texts.system import SYSTEM_STRINGS
from assistant.work.task import Title

Language = Literal["zh", "en"]

STRINGS: dict[str, tuple[str, str]] = {
    # frame
    "product": ("Bedside 临床辅助", "Bedside clinical assistant"),
    "disclaimer": (DISCLAIMER_ZH, DISCLAIMER_EN),
    "switch": ("English", "中文"),
    "role.doctor": ("医师", "doctor"),
    "role.nurse": ("护士", "nurse"),
    "role.pharmacist": ("药师", "pharmacist"),
    "role.student": ("医学生", "student"),
    "role.auditor": ("审计员", "auditor"),
    "role.admin": ("管理员", "administrator"),
    "sign_out": ("退出", "Sign out"),
    "session": ("会话", "Session"),
    "session.for": ("本会话患者", "Session for"),
    "models": ("在用模型", "Models in use"),
    "demo_only": ("仅供演示", "demo only"),
    "approved": ("已批准", "approved"),
    "state.loading": ("正在打开", "opening"),
    "state.ready": ("可用", "ready"),
    "state.missing": ("缺失", "missing"),
    "knowledge_missing": (
        "知识库尚未建立：请运行 bedside kb build。",
        "There is no knowledge base yet: run bedside kb build.",
    ),
    "model_missing": (
        "没有可用的模型：检索与知识库排序可用，其余见“系统”页。",
        "No model is available: search and the knowledge ranking work; see the System page.",
    ),
    "page.failed": (
        "这个页面无法显示，原因见服务器日志；其他页面不受影响。",
        "This page cannot be shown (see the server's log); the others are not affected.",
    ),
    "page.feedback": ("反馈", "Feedback"),
    "page.adoption": ("使用情况", "Adoption"),
    "page.record_search": ("病历搜索", "Search"),
    "page.system": ("系统", "System"),
    # patient and case
    "patient": ("患者", "Patient"),
    "no_patient": ("未选择患者", "No patient selected"),
    "encounter": ("就诊", "Encounter"),
    "patient.name": ("姓名", "Name"),
    "patient.id": ("患者编号", "Patient id"),
    "encounter.id": ("就诊编号", "Encounter id"),
    "patient.sex": ("性别", "Sex"),
    "sex.male": ("男", "Male"),
    "sex.female": ("女", "Female"),
    "sex.": ("未填", "Not given"),
    "patient.age": ("年龄", "Age"),
    "example.choose": ("选择一个示例…", "Choose an example…"),
    "chief_complaint": ("主诉", "Chief complaint"),
    "present_illness": ("现病史", "Present illness"),
    "past_history": ("既往史", "Past history"),
    "examination": ("体格检查", "Examination"),
    "tests": ("辅助检查", "Tests"),
    "text": ("或直接粘贴整份病历", "Or paste the whole note"),
    "stop": ("停止", "Stop"),
    "legend.present": ("阳性表现", "present"),
    "legend.uncertain": ("不确定（可能、疑似）", "uncertain"),
    "legend.absent": ("阴性表现", "denied"),
    "earlier": ("本次就诊的历次草稿（{n}）", "Earlier drafts of this encounter ({n})"),
    "earlier.drafts": ("{n} 份草稿", "drafts: {n}"),
    "earlier.accepted": ("已回填 {n}", "filled in: {n}"),
    "earlier.signed": ("已签署 {n}", "signed: {n}"),
    "earlier.stale": ("病历已改动", "record changed"),
    "overtaken": (
        "此后本次就诊又提交过改动的病历；以下草稿依据的是当时的版本，请与现在的病历核对，或重新运行。",
        "The record has been sent in changed since; these drafts are of the earlier version. "
        "Check them against the record as it is now, or run again.",
    ),
    # states
    "state.queued": ("已受理，排队中…", "Accepted, waiting…"),
    "queue.place": ("前面还有 {n} 项", "{n} in front"),
    "queue.expected": ("预计约 {s:.0f} 秒后开始", "begins in about {s:.0f} s"),
    "state.running": ("正在分析…", "At work…"),
    "state.finished": ("已完成", "Finished"),
    "state.failed": ("未完成", "Failed"),
    "state.cancelled": ("已停止", "Stopped"),
    "seconds": ("{n:.1f} 秒", "{n:.1f} s"),
    "no_model": ("无语言模型", "no language model"),
    # diagnosis
    "warnings": ("注意", "Note"),
    # statements
    "unsupported": ("无依据", "unsupported"),
    "unsupported.count": ("{n} 条无依据待处理", "{n} unsupported"),
    "evidence.record": ("病历", "record"),
    "evidence.knowledge": ("知识", "source"),
    "evidence.box": ("页面", "page"),
    "evidence.region": ("影像", "image"),
    "evidence.page": ("第{n}页", "page {n}"),
    "evidence.slice": ("第{n}层", "slice {n}"),
    "evidence.missing": ("图像打不开", "The picture cannot be opened"),
    "evidence.show": ("查看依据", "Show evidence"),
    "confirm": ("确认", "Confirm"),
    "delete": ("删除", "Delete"),
    "edit": ("编辑", "Edit"),
    "save": ("保存", "Save"),
    "undo": ("撤销", "Undo"),
    "confirmed": ("已由医师确认", "confirmed"),
    "deleted": ("已删除", "deleted"),
    "edited": ("已由医师修改", "edited"),
    "edit.label": ("修改这条内容", "Edit this statement"),
    "problem.number": ("数值不符", "number"),
    "problem.unit": ("单位不符", "unit"),
    "problem.date": ("日期不符", "date"),
    "problem.drug": ("药名不符", "drug"),
    "problem.dose": ("剂量不符", "dose"),
    "problem.laterality": ("左右侧不符", "side"),
    "problem.negation": ("否定不符", "negation"),
    "problem.certainty": ("原文只是可能、计划或已拒绝", "only possible, planned or refused"),
    "problem.earlier_stay": ("属于既往住院", "earlier stay"),
    "problem.wrong_patient": ("不属于本患者", "another person"),
    "problem.no_evidence": ("找不到依据", "no evidence"),
    # feedback and fill-in
    "like": ("有用", "Useful"),
    "dislike": ("无用", "Not useful"),
    "report": ("识别错误", "Report an error"),
    "report.quote": ("有误的文字（可先选中再打开）", "The wrong text (select it first)"),
    "report.comment": ("说明", "What is wrong"),
    "report.correction": ("正确内容", "It should read"),
    "report.send": ("提交错误", "Send the report"),
    "report.empty": (
        "请先粘贴或选中有误的文字。",
        "Paste or select the wrong text first.",
    ),
    "liked": ("已记录：有用", "Noted: useful"),
    "disliked": ("已记录：无用", "Noted: not useful"),
    "reported": ("错误已提交，共 {n} 条", "Error reports sent: {n}"),
    "fill": ("一键回填", "Fill in"),
    "fill.refused": (
        "{n} 条内容没有依据，请逐条确认、修改或删除后再回填：",
        "{n} unsupported statements must be confirmed, edited or deleted first:",
    ),
    "fill.title": ("回填文本", "Text to fill in"),
    "fill.ready": ("已可回填", "Ready to fill in"),
    "fill.edit": ("可在此修改后再复制或签署", "Edit here before copying or signing"),
    "copy": ("复制", "Copy"),
    "copy.done": ("已复制", "Copied"),
    "copy_json": ("复制 JSON", "Copy JSON"),
    "json": ("JSON（供 CDSS 调用）", "JSON (for the CDSS)"),
    "sign": ("存回签署稿", "Return the signed text"),
    "signed": (
        "签署稿已保存。",
        "Signed text kept.",
    ),
    "signed.distance": ("编辑距离 {d}。", " Edit distance {d}."),
    "signed.seconds": ("从草稿到采纳 {s:.0f} 秒。", " {s:.0f} s from draft to acceptance."),
    # discharge record
    "encounter.bad": ("住院数据不符合格式：{why}", "The encounter is not valid: {why}"),
    "encounter.empty": (
        "选择一次住院，这里显示其病历。",
        "Choose a stay; its notes are shown here.",
    ),
    "section.writing": ("正在书写…", "Writing…"),
    "section.unchecked": ("未核对", "not checked yet"),
    "copied": ("照抄自数据", "copied from the data"),
    # feedback page
    "feedback.title": ("各成员的反馈", "Feedback by member"),
    "feedback.kind": ("任务", "Task"),
    "feedback.member": ("成员", "Member"),
    "feedback.model": ("模型", "Model"),
    "feedback.drafts": ("草稿", "Drafts"),
    "feedback.accepted": ("已采纳", "Accepted"),
    "feedback.signed": ("已签署", "Signed"),
    "feedback.errors": ("错误", "Errors"),
    "feedback.distance": ("平均编辑距离", "Mean edit distance"),
    "feedback.to_acceptance": ("平均采纳用时", "Mean time to acceptance"),
    "feedback.none": ("还没有反馈。", "No feedback yet."),
    "feedback.recent": ("当前患者的反馈", "Feedback on this patient"),
    "feedback.export": (
        "导出为训练用的 JSON Lines（prompt、chosen、rejected；默认替换姓名、数字和日期）：",
        "Export as JSON lines (prompt, chosen, rejected; names, numbers and dates replaced):",
    ),
    "refresh": ("刷新", "Refresh"),
    "verdict.like": ("有用", "useful"),
    "verdict.dislike": ("无用", "not useful"),
    "verdict.error": ("错误", "error"),
    **REVIEW_STRINGS,
    **ADOPTION_STRINGS,
    **RECORD_SEARCH_STRINGS,
    **SYSTEM_STRINGS,
    # errors and sign-in
    "error.session": (
        "会话已失效，请刷新页面。",
        "This session is no longer valid: reload the page.",
    ),
    "error.case_empty": (
        "病历内容为空：请至少填写主诉、现病史或整份病历。",
        "The case is empty: give a complaint, a present illness or a whole note.",
    ),
    "error.case_bad": ("病历不符合要求：{why}", "The case is not valid: {why}"),
    "error.age": (
        "年龄无法识别，请写成 58岁、3岁1月 或 8个月。",
        "The age is not understood; write 58, 58岁, 3岁1月 or 8个月.",
    ),
    "error.role": (
        "当前角色不能查看或提交病历。",
        "This role may not read or send patients' records.",
    ),
    "error.doctor": (
        "只有医师可以回填或签署。",
        "Only a doctor may fill in or sign.",
    ),
    "error.required": ("必填", "required"),
    "error.too_long": ("超过 {n} 字", "longer than {n} characters"),
    "error.unknown_field": ("没有这个字段", "no such field"),
    "encounter.ids.bad": (
        "患者编号和就诊编号要么都不填，要么都填；只能用字母、数字和 . _ : -，且以字母或数字开头。",
        "Give both ids or none; they are letters, digits and . _ : - "
        "and begin with a letter or digit.",
    ),
    "error.id": (
        "编号只能用字母、数字和 . _ : -，且以字母或数字开头。",
        "Ids are letters, digits and . _ : - and begin with a letter or digit.",
    ),
    "sign_in": ("登录", "Sign in"),
    "sign_in.hint": (
        "本服务不只在本机开放，查看临床内容前需要 API key（由管理员用 bedside key create 生成）。",
        "This server is open to other machines: an API key is needed (bedside key create).",
    ),
    "sign_in.wrong": ("API key 无效或已撤销。", "The API key is not valid."),
    # a stay of one's own
    "encounter.own": ("粘贴或上传一次住院（文字或 JSON）", "Paste or upload a stay (text or JSON)"),
    "encounter.json": ("住院数据 JSON，或病历全文", "Encounter as JSON, or the note as text"),
    "encounter.file": ("选择文件…", "Choose a file…"),
    "encounter.open": ("打开", "Open"),
    "encounter.ids": (
        "纯文本可填编号，不填则新建；只填编号可打开已有草稿。",
        "For a text, optional: new ones are given. Ids alone open what was drafted before.",
    ),
}


def add(strings: Mapping[str, tuple[str, str]]) -> None:
    """Add the sentences of a task's page.  Raises `ValueError` for a key that is taken."""
    for key, said in strings.items():
        if STRINGS.setdefault(key, said) != said:
            raise ValueError(f"the string {key!r} is there already")


class Text:
    """Looks strings up in one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def __call__(self, key: str, **values: object) -> str:
        """The string, with its ``{}`` places filled in.  Raises `KeyError` for an unknown key."""
        chosen = STRINGS[key][0 if self.language == "zh" else 1]
        return chosen.format(**values) if values else chosen

    def of(self, title: Title) -> str:
        """A title in this language."""
        return title.zh if self.language == "zh" else title.en
