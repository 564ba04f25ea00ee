/* The embedded page.  The token lives in this page's memory alone: no cookie, no storage. */
(function () {
  "use strict";
  const session = JSON.parse(document.getElementById("session").textContent);
  // The address was good once; it need not stand in the history.
  history.replaceState(null, "", location.pathname);
  const main = document.getElementById("drafts");
  const line = document.getElementById("state");
  const CONFIRM_MS = 10000;
  const waiting = new Map();
  let context = null;
  let timer = 0;
  let told = "";

  const WORDS = {
    none: "还没有草稿", queued: "排队中…", running: "正在生成…", finished: "已就绪",
    failed: "没有完成", cancelled: "已停止",
  };
  const DONE = { confirmed: "已确认", deleted: "已删除", edited: "已修改", restored: "" };

  function post(message) { if (parent !== window) parent.postMessage(message, session.origin); }

  async function ask(path, body) {
    const options = { headers: { Authorization: "Bearer " + session.token }, credentials: "omit" };
    if (body !== undefined) {
      options.method = "POST";
      options.headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(body);
    }
    const answer = await fetch("/v1/embed/" + path, options);
    if (answer.status === 204) return null;
    const data = await answer.json();
    if (!answer.ok) throw new Error(data.detail || "请求失败。(Failed.)");
    return data;
  }

  function say(text, bad) { line.textContent = text; line.className = bad ? "bad" : ""; }

  function make(tag, text, className) {
    const node = document.createElement(tag);
    if (text) node.textContent = text;
    if (className) node.className = className;
    return node;
  }

  function button(label, act, className) {
    const node = make("button", label, className);
    node.type = "button";
    node.addEventListener("click", async () => {
      node.disabled = true;
      try { await act(); } catch (error) { say(error.message, true); }
      node.disabled = false;
    });
    return node;
  }

  function evidence(one) {
    const kinds = { span: "病历", passage: "知识", box: "图像", region: "影像" };
    const place = one.kind === "span" ? `（${one.note_id} ${one.start}–${one.end}）` : one.source ? `（${one.source}）` : "";
    return make("blockquote", `${kinds[one.kind] || one.kind}${place}：${one.quote}`);
  }

  function statement(draft, one) {
    const item = make("li", "", one.heading ? "heading" : "");
    item.dataset.statement = one.id;
    item.classList.add(one.decision === "deleted" ? "deleted" : "kept");
    if (draft.open.includes(one.id)) item.classList.add("unsupported");
    item.append(make("span", one.edited || one.text, "text"));
    if (DONE[one.decision]) item.append(make("span", " " + DONE[one.decision], "flag"));
    if (draft.open.includes(one.id)) item.append(make("span", " 无依据", "flag"));
    const decide = (action, text) => async () => {
      await ask(`drafts/${draft.id}/resolutions`, { statement_id: one.id, action, ...(text === undefined ? {} : { text }) });
      await show(draft.id);
    };
    if (one.evidence.length) item.append(button("依据", () => {
      const shown = item.querySelectorAll("blockquote");
      if (shown.length) shown.forEach((node) => node.remove());
      else item.append(...one.evidence.map(evidence));
    }));
    if (draft.state !== "signed") {
      if (draft.open.includes(one.id)) item.append(button("确认", decide("confirmed")));
      if (one.decision === "deleted") item.append(button("恢复", decide("restored")));
      else {
        item.append(button("删除", decide("deleted")));
        item.append(button("修改", () => edit(item, one, decide)));
      }
    }
    item.append(button("识别错误", async () => {
      await ask(`drafts/${draft.id}/feedback`, { verdict: "error", quote: one.text });
      say("已记录：识别错误");
    }));
    return item;
  }

  function edit(item, one, decide) {
    if (item.querySelector("textarea")) return;
    const area = make("textarea");
    area.value = one.edited || one.text;
    area.setAttribute("aria-label", "修改内容");
    item.append(area, button("保存修改", () => decide("edited", area.value)()));
    area.focus();
  }

  function card(summary) {
    const node = make("article");
    node.id = "draft-" + summary.id;
    node.setAttribute("aria-label", summary.title);
    node.append(make("h2", summary.title), button("查看", () => show(summary.id)));
    return node;
  }

  async function show(id) {
    const draft = await ask("drafts/" + id);
    const node = document.getElementById("draft-" + id);
    const list = make("ol");
    list.append(...draft.statements.map((one) => statement(draft, one)));
    const head = make("h2", draft.title + (draft.stale ? "（病历已改动，请核对）" : ""));
    const parts = [head, list];
    if (draft.edit_distance !== null) {
      parts.push(make("p", `已签名；编辑距离 ${draft.edit_distance}` +
        (draft.seconds_to_acceptance === null ? "" : `；回填用时 ${draft.seconds_to_acceptance.toFixed(0)} 秒`), "measured"));
    }
    if (session.fillable && draft.state !== "signed") parts.push(button("一键回填", () => fill(draft), "main"));
    else if (!session.fillable) parts.push(make("p", "只有医师可以回填。(Needs a doctor.)"));
    parts.push(button("有用", () => judge(id, "like")), button("无用", () => judge(id, "dislike")));
    node.replaceChildren(...parts);
    post({ type: "bedside.sections", sections: [{
      draft: draft.id, section: draft.section, title: draft.title, state: draft.state, open: draft.open.length,
      statements: draft.statements.map((s) => ({ id: s.id, text: s.edited || s.text, status: s.status, evidence: s.evidence })),
    }] });
  }

  async function judge(id, verdict) {
    await ask(`drafts/${id}/feedback`, { verdict });
    say(verdict === "like" ? "已记录：有用" : "已记录：无用");
  }

  async function fill(draft) {
    const filled = await ask(`drafts/${draft.id}/fill-in`, {});
    const id = crypto.getRandomValues(new Uint32Array(4)).join("-");
    const answer = await new Promise((resolve) => {
      waiting.set(id, resolve);
      setTimeout(() => resolve(null), CONFIRM_MS);
      post({ type: "bedside.fill", id, draft: draft.id, section: draft.section, text: filled.text, fields: filled.fields, notice: filled.notice });
    });
    waiting.delete(id);
    if (answer && answer.ok) {
      await ask(`drafts/${draft.id}/written`, { how: "written", fields: answer.fields.slice(0, 50) });
      await show(draft.id);
      say("已回填：" + answer.fields.join("、"));
      return;
    }
    await show(draft.id);
    copy(draft, filled);
  }

  /* The host wrote nothing: the doctor copies. */
  function copy(draft, filled) {
    say("病历系统没有写入，请复制后粘贴。(Not written; copy it.)", true);
    const area = make("textarea");
    area.readOnly = true;
    area.value = filled.text;
    area.setAttribute("aria-label", "回填文本");
    const node = document.getElementById("draft-" + draft.id);
    node.append(area, button("复制", async () => {
      area.select();
      try { await navigator.clipboard.writeText(filled.text); } catch (error) { document.execCommand("copy"); }
      await ask(`drafts/${draft.id}/written`, { how: "copied" });
      say("已复制");
    }));
    area.select();
  }

  async function look() {
    clearTimeout(timer);
    try { draw(await ask("state")); } catch (error) { say(error.message, true); return; }
  }

  function draw(state) {
    const under_way = state.status === "queued" || state.status === "running";
    const news = JSON.stringify([state.status, state.drafts.map((d) => [d.id, d.state])]);
    if (news !== told) {
      told = news;
      say(WORDS[state.status] + (state.message ? "：" + state.message : ""), state.status === "failed");
      post({ type: "bedside.state", state });
    }
    const ids = state.drafts.map((d) => d.id);
    main.querySelectorAll("article").forEach((node) => { if (!ids.includes(node.id.slice(6))) node.remove(); });
    for (const draft of state.drafts) {
      if (document.getElementById("draft-" + draft.id)) continue;
      main.append(card(draft));
      show(draft.id).catch((error) => say(error.message, true));
    }
    timer = setTimeout(look, under_way ? 1000 : 5000);
  }

  async function begin() {
    clearTimeout(timer);
    try { draw(await ask("requests", context)); } catch (error) { say(error.message, true); timer = setTimeout(look, 5000); }
  }

  window.addEventListener("message", (event) => {
    if (event.origin !== session.origin || event.source !== parent) return;
    const message = event.data;
    if (!message || typeof message.type !== "string") return;
    if (message.type === "bedside.context") {
      const given = message.context || {};
      const filled = Object.values(given.fields || {}).some((text) => String(text).trim());
      if (!filled && !given.encounter) return;
      context = { patient: given.patient || {}, fields: given.fields || {} };
      if (given.encounter) context.encounter = given.encounter;
      begin();
    }
    if (message.type === "bedside.written" && waiting.has(message.id)) {
      waiting.get(message.id)({ ok: message.ok === true, fields: (message.fields || []).map(String) });
    }
  });

  look().then(() => post({ type: "bedside.ready" }));
})();
