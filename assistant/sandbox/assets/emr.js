/* The page of the small EMR: what a hospital's own page would do with bedside-embed.js. */
(async function () {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const ask = async (path, body) => {
    const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch("/api/" + path, options);
    const data = await answer.json();
    if (!answer.ok) throw new Error(data.detail || "失败");
    return data;
  };
  const setup = await ask("setup");
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = setup.bedside + "/embed/bedside-embed.js";
    script.onload = resolve;
    script.onerror = () => { $("problem").textContent = "无法载入 Bedside，请先运行 bedside serve。"; resolve(); };
    document.head.append(script);
  });
  const CASE = ["chief_complaint", "present_illness", "past_history", "examination", "tests"];
  const MAPS = {
    differential_diagnosis: { "*": "first_progress_note" },
    discharge_record: Object.fromEntries(["discharge_diagnosis", "admission_condition", "hospital_course", "discharge_condition", "discharge_orders"].map((n) => [n, n])),
  };
  let stay = null;
  let panel = null;
  const cards = new Map();
  let saving = Promise.resolve();

  const option = (value, text) => { const o = document.createElement("option"); o.value = value; o.textContent = text; return o; };
  $("user").append(...setup.users.map((u) => option(u.id, u.name)));
  $("stay").append(...setup.stays.map((s) => option(s.id, `${s.name} ${s.department} ${s.bed}`)));
  const user = () => $("user").value;

  const guarded = (act) => async () => {
    $("problem").textContent = "";
    try { await act(); } catch (error) { $("problem").textContent = error.message; }
  };

  function field(name) {
    const label = document.createElement("label");
    label.textContent = setup.fields[name];
    const area = document.createElement("textarea");
    area.id = "field-" + name;
    area.value = stay.fields[name];
    label.append(area);
    const save = document.createElement("button");
    save.type = "button";
    save.textContent = "保存" + setup.fields[name];
    save.addEventListener("click", guarded(() => keep(name)));
    return [label, save];
  }

  async function keep(name, draft) {
    const of = stay.id;
    show(await ask(`stays/${of}/fields`, { user: user(), field: name, text: $("field-" + name).value, draft: draft || "" }), of);
  }

  function close() { if (panel) panel.close(); panel = null; }

  async function load() {
    close();
    stay = await ask("stays/" + $("stay").value);
    $("who").textContent = `${stay.patient.name}（${stay.patient.id}，${stay.id}）`;
    $("fields").replaceChildren(...Object.keys(setup.fields).flatMap(field));
    cards.clear();
    $("cards").replaceChildren();
    $("signed").textContent = "";
    const of = stay.id;
    show(await ask(`stays/${of}/view`, { user: user() }), of);
  }

  /* The cards of each service stand until it is asked again; an answer about another stay is dropped. */
  function show(answer, of) {
    if (of !== stay.id) return;
    cards.set(answer.service, answer.cards.map((one) => card(answer.service, one)));
    $("cards").replaceChildren(...[...cards.values()].flat());
  }

  function card(service, told) {
    const node = document.createElement("div");
    node.className = "card " + told.indicator;
    const text = document.createElement("p");
    text.textContent = told.summary;
    const detail = document.createElement("p");
    detail.textContent = told.detail || "";
    node.append(text, detail);
    for (const [outcome, title] of [["accepted", "采纳"], ["overridden", "忽略"]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = title;
      button.addEventListener("click", guarded(async () => {
        await ask("cards", { service, card: told.uuid, outcome });
        node.remove();
      }));
      node.append(button);
    }
    return node;
  }

  async function open(task, context) {
    close();
    const { url } = await ask(`stays/${stay.id}/embed`, { user: user(), task });
    panel = BedsideEmbed.open({
      container: $("panel"), bedside: setup.bedside, url, map: MAPS[task], context,
      write: (name, text, message) => {
        $("field-" + name).value = text;
        // The field has it; saving, and the cards that come of it, may take longer.
        saving = Promise.all([saving, guarded(() => keep(name, message.draft))()]);
      },
      onWritten: (what) => { $("panel").dataset.written = what.fields.join(" "); },
      onState: (state) => { $("panel").dataset.state = state.status; },
    });
  }

  $("open-differential").addEventListener("click", guarded(() => open("differential_diagnosis", {
    patient: Object.fromEntries(["sex", "age_text", "birth_date"].filter((n) => stay.patient[n]).map((n) => [n, stay.patient[n]])),
    fields: Object.fromEntries(CASE.map((name) => [name, $("field-" + name).value])),
  })));
  $("open-discharge").addEventListener("click", guarded(async () => {
    const of = stay.id;
    show(await ask(`stays/${of}/discharge`, { user: user() }), of);
    await open("discharge_record", {});
  }));
  $("send-order").addEventListener("click", guarded(async () => {
    const of = stay.id;
    show(await ask(`stays/${of}/orders`, { user: user(), name: $("order").value || "注射用青霉素钠" }), of);
  }));
  $("sign").addEventListener("click", guarded(async () => {
    await saving;
    for (const name of Object.keys(setup.fields)) {
      const text = $("field-" + name).value;
      if (text && text !== (await ask("stays/" + stay.id)).fields[name]) await keep(name);
    }
    const { signed } = await ask(`stays/${stay.id}/sign`, { user: user() });
    $("signed").textContent = Object.values(signed).map((one) =>
      `${one.fields.map((n) => setup.fields[n]).join("、")}：编辑距离 ${one.edit_distance}，回填用时 ${Number(one.seconds_to_acceptance).toFixed(1)} 秒`).join("；");
  }));
  $("refresh-log").addEventListener("click", guarded(async () => {
    const lines = await ask("log");
    $("log").replaceChildren(...lines.reverse().map((one) => {
      const item = document.createElement("li");
      item.textContent = `${one.at} ${one.way === "out" ? "→ Bedside" : "← Bedside"} ${one.what} ${one.answer || ""}`;
      return item;
    }));
  }));
  $("launch").addEventListener("click", () => {
    window.open("/launch?" + new URLSearchParams({ stay: stay.id, user: user() }), "_blank", "noopener");
  });
  $("stay").addEventListener("change", guarded(load));
  $("user").addEventListener("change", guarded(async () => close()));
  await guarded(load)();
  document.body.dataset.ready = "true";
})();
