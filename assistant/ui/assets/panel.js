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

const evidenceCard = () => {
  let found = document.getElementById("evidence-card");
  if (!found) {
    found = document.createElement("div");
    found.id = "evidence-card";
    found.setAttribute("popover", "auto");
    found.setAttribute("role", "note");
    found.append(document.createElement("b"), document.createElement("p"));
    document.body.append(found);
  }
  return found;
};

const rangeOf = (note, start, end) => {
  const range = document.createRange();
  const walker = document.createTreeWalker(note, NodeFilter.SHOW_TEXT);
  let seen = 0;
  let started = false;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    let unit = 0;
    for (const point of node.data) {
      if (seen === start) { range.setStart(node, unit); started = true; }
      unit += point.length;
      seen += 1;
      if (started && seen === end) { range.setEnd(node, unit); return range; }
    }
  }
  return null;
};

const highlight = (chip) => {
  const { record, note, start, end } = chip.dataset;
  const shown = document.querySelector(`[data-record-name="${CSS.escape(record)}"]`);
  if (!shown) return null;
  const panel = shown.closest("[role=tabpanel]");
  const tab = panel && panel.id ? document.getElementById(`${panel.id}-button`) : null;
  if (tab && tab.getAttribute("aria-selected") === "false") tab.click();
  const place = shown.querySelector(`[data-note-name="${CSS.escape(note)}"]`);
  const range = place && rangeOf(place, Number(start), Number(end));
  if (!range) return null;
  for (let up = place.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
  if (window.Highlight && CSS.highlights) CSS.highlights.set("evidence", new Highlight(range));
  shown.dataset.highlighted = range.toString();
  requestAnimationFrame(() => {
    const frame = shown.closest(".scrolls");
    const box = range.getBoundingClientRect();
    if (!frame) return;
    const outer = frame.getBoundingClientRect();
    frame.scrollTop += box.top - outer.top - outer.height / 3;
  });
  return range;
};

const evidence = (chip) => {
  if (chip.dataset.record) highlight(chip);
  const within = chip.closest("[data-card]");
  if (within && chip.dataset.passage) {
    const wanted = `[data-passage-name="${CSS.escape(chip.dataset.passage)}"]`;
    for (const passage of within.querySelectorAll(wanted)) {
      passage.open = true;
      openness.set(passage.dataset.key, true);
    }
  }
  explain(chip, chip.dataset.place, chip.dataset.quote);
};

const explain = (chip, place, quote) => {
  const shown = evidenceCard();
  shown.children[0].textContent = place;
  shown.children[1].textContent = quote;
  if (!shown.matches(":popover-open")) shown.showPopover();
  const box = chip.getBoundingClientRect();
  const width = shown.offsetWidth;
  const left = Math.max(8, Math.min(box.left, window.innerWidth - width - 8));
  const below = box.bottom + 6;
  const fits = below + shown.offsetHeight < window.innerHeight;
  shown.style.left = `${left}px`;
  shown.style.top = `${fits ? below : Math.max(8, box.top - shown.offsetHeight - 6)}px`;
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

// What a button does in the page itself; scripts of single pages add theirs.
const inPage = { copy, evidence, goto };

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
