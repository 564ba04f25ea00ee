// One card of a page.  Gradio calls this with: element, trigger, props, server, upload, watch.
// Text from records and models is only ever set through textContent.
const openness = new Map();
let touched = null;

const remember = (summary) => {
  const details = summary.parentElement;
  if (details.dataset.key) openness.set(details.dataset.key, !details.open);
  if (!details.open && "takesSelection" in details.dataset) {
    const quote = details.querySelector("textarea[name=quote]");
    const selected = String(document.getSelection() || "").trim();
    if (quote && selected && !quote.value) quote.value = selected.slice(0, 2000);
  }
};

const restore = () => {
  for (const details of element.querySelectorAll("details[data-key]")) {
    const wanted = openness.get(details.dataset.key);
    if (wanted !== undefined && details.open !== wanted) details.open = wanted;
  }
  for (const area of element.querySelectorAll("textarea[data-version]")) {
    if (area.shownVersion !== undefined && area.shownVersion !== area.dataset.version) {
      area.value = area.defaultValue;
    }
    area.shownVersion = area.dataset.version;
  }
  if (touched && document.activeElement === document.body) {
    const item = document.getElementById(touched);
    if (item && element.contains(item)) item.focus({ preventScroll: true });
  }
  touched = null;
};

const send = (button) => {
  const fields = {};
  const form = button.closest("[data-form]");
  if (form) for (const field of form.querySelectorAll("[name]")) fields[field.name] = field.value;
  const item = button.closest("[data-focus]");
  touched = item ? item.id : null;
  const holder = button.closest("[data-card]");
  const card = holder ? holder.dataset.card : "";
  trigger("click", { ...button.dataset, card, fields });
};

const copy = async (button) => {
  const source = document.getElementById(button.dataset.target);
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const label = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => (button.textContent = label), 1500);
};

const goto = (button) => {
  const target = document.getElementById(button.dataset.target);
  if (!target) return;
  for (let up = target.closest("details"); up; up = up.parentElement.closest("details")) {
    up.open = true;
    if (up.dataset.key) openness.set(up.dataset.key, true);
  }
  target.scrollIntoView({ block: "center" });
  target.focus({ preventScroll: true });
};

const download = async (button) => {
  const { from, patient, encounter, name, failed } = button.dataset;
  const headers = { "X-Patient-Id": patient };
  if (encounter) headers["X-Encounter-Id"] = encounter;
  button.parentElement.querySelector("[role=alert]")?.remove();
  try {
    const answer = await fetch(from, { headers });
    if (!answer.ok) throw new Error(String(answer.status));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch {
    const line = document.createElement("span");
    line.setAttribute("role", "alert");
    line.className = "notice bad";
    line.textContent = failed;
    button.parentElement.append(line);
  }
};

// What a button does in the page itself; scripts of single pages add theirs.
const inPage = { copy, evidence, goto, download };

element.addEventListener("click", (event) => {
  const summary = event.target.closest("summary");
  if (summary && element.contains(summary)) remember(summary);
  const button = event.target.closest("button[data-do]");
  if (!button || !element.contains(button)) return;
  const within = inPage[button.dataset.do];
  if (within) within(button);
  else send(button);
});

element.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches("input[type=file]:not([multiple])") || !input.files.length) return;
  input.files[0].text().then((text) => trigger("click", { do: "file", fields: { text } }));
  input.value = "";
});

watch("value", restore);
restore();
