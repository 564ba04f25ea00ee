// 票据识别: boxes on the picture, from doubt to doubt, changes kept until they are saved.
// Text from pages is only ever set through textContent and value, numbers through Number().
const billCard = () => element.querySelector("[data-bill]");
const cellInputs = () => [...element.querySelectorAll("input.cell")];
const inBox = (id) => document.querySelector(`#${id} input, #${id} textarea`)?.value.trim() ?? "";
window.bedsideBills ??= { pictures: new Map(), pending: new Map() };
const { pictures, pending } = window.bedsideBills;

const picture = async (card, page) => {
  const from = page.dataset.picture;
  if (!pictures.has(from)) {
    const answer = await fetch(from, {
      headers: { "X-Patient-Id": card.dataset.patient, "X-Encounter-Id": card.dataset.encounter },
    });
    if (!answer.ok) throw new Error(`${answer.status}`);
    // A few pages are kept, so that a redrawn card does not fetch them again.
    for (const old of [...pictures.keys()].slice(0, Math.max(0, pictures.size - 11))) {
      URL.revokeObjectURL(pictures.get(old));
      pictures.delete(old);
    }
    pictures.set(from, URL.createObjectURL(await answer.blob()));
  }
  const image = new Image();
  image.alt = "";
  image.src = pictures.get(from);
  await image.decode();
  return image;
};

const drawBox = (holder, image, input) => {
  const [x, y, width, height] = input.dataset.box.split(" ").map(Number);
  const box = document.createElement("button");
  box.type = "button";
  box.className = "cell-box";
  box.tabIndex = -1;
  box.dataset.of = input.dataset.path;
  box.setAttribute("aria-label", input.getAttribute("aria-label"));
  if (input.dataset.doubt) box.classList.add("doubtful");
  const across = 100 / image.naturalWidth;
  const down = 100 / image.naturalHeight;
  Object.assign(box.style, {
    left: `${x * across}%`, top: `${y * down}%`,
    width: `${width * across}%`, height: `${height * down}%`,
  });
  holder.append(box);
};

const drawPages = async () => {
  const card = billCard();
  if (!card) return;
  for (const page of element.querySelectorAll("figure.bill-page")) {
    try {
      const image = await picture(card, page);
      if (!page.isConnected) return;
      const holder = document.createElement("div");
      holder.className = "evidence-page";
      holder.append(image);
      page.replaceChildren(holder);
      for (const input of cellInputs()) {
        if (input.dataset.box && input.dataset.page === page.dataset.page) {
          drawBox(holder, image, input);
        }
      }
    } catch {
      page.textContent = page.dataset.missing;
    }
  }
  const focused = document.activeElement;
  if (focused?.matches?.("input.cell")) light(focused.dataset.path);
};

// The print of the cell in hand, large enough to be compared with what was read.
const magnify = (input) => {
  const lens = element.querySelector(".bill-lens");
  if (!lens) return;
  const page = `figure.bill-page[data-page="${Number(input?.dataset.page)}"] img`;
  const image = input?.dataset.box && element.querySelector(page);
  lens.hidden = !image;
  if (!image) return;
  const [x, y, width, height] = input.dataset.box.split(" ").map(Number);
  const rim = height * 0.7;
  const left = Math.max(0, x - 2 * rim);
  const top = Math.max(0, y - rim);
  const across = Math.min(width + 4 * rim, image.naturalWidth - left);
  const down = Math.min(height + 2 * rim, image.naturalHeight - top);
  const scale = Math.min(4, (lens.parentElement.clientWidth - 8) / across, 110 / down);
  lens.width = Math.max(1, Math.round(across * scale));
  lens.height = Math.max(1, Math.round(down * scale));
  lens.getContext("2d").drawImage(image, left, top, across, down, 0, 0, lens.width, lens.height);
};

const light = (path) => {
  for (const box of element.querySelectorAll(".cell-box")) {
    const on = box.dataset.of === path;
    box.classList.toggle("lit", on);
    if (on) {
      const frame = box.closest(".scrolls");
      const place = box.getBoundingClientRect();
      const outer = frame.getBoundingClientRect();
      if (place.top < outer.top || place.bottom > outer.bottom) {
        frame.scrollTop += place.top - outer.top - outer.height / 3;
      }
    }
  }
  for (const input of cellInputs()) input.classList.toggle("lit", input.dataset.path === path);
  magnify(cellInputs().find((input) => input.dataset.path === path));
};

const changed = (input) =>
  input.value !== input.dataset.original || input.dataset.confirmed === "true";

// Pairs, since Gradio takes whatever has a "path" for a file.
const changes = () => {
  const cells = cellInputs().filter(changed);
  const gone = [...element.querySelectorAll("tr[data-gone]")].map((row) => row.dataset.gone);
  const found = cells
    .filter((input) => !gone.some((row) => input.dataset.path.startsWith(`${row}.`)))
    .map((input) => [input.dataset.path, input.value]);
  // From the last row on, so that the numbers of those before stay right.
  const rows = gone.sort((a, b) => Number(b.split(".")[1]) - Number(a.split(".")[1]));
  return [...found, ...rows.map((path) => [path, ""])];
};

const remembered = () => {
  const card = billCard();
  if (!card) return;
  const held = pending.get(card.dataset.bill) ?? new Map();
  for (const input of cellInputs()) {
    if (changed(input)) held.set(input.dataset.path, input.value);
    else held.delete(input.dataset.path);
  }
  pending.set(card.dataset.bill, held);
};

// What could not be saved, since somebody else saved before, is put on the newer version.
const putBack = () => {
  const card = billCard();
  if (!card) return;
  if (!card.dataset.problem) {
    pending.delete(card.dataset.bill);
    return;
  }
  for (const [path, value] of pending.get(card.dataset.bill) ?? []) {
    const input = element.querySelector(`input.cell[data-path="${CSS.escape(path)}"]`);
    if (!input) continue;
    input.value = value;
    if (value === input.dataset.original) confirm(input);
    else input.classList.add("dirty");
  }
};

const doubtful = () =>
  cellInputs().filter((input) => input.dataset.doubt && input.dataset.confirmed !== "true"
    && input.value === input.dataset.original);

const go = (from, step) => {
  const inputs = cellInputs();
  const open = doubtful();
  if (!open.length) return false;
  const at = inputs.indexOf(from);
  const order = step > 0 ? open : [...open].reverse();
  const next = order.find((input) => step > 0 ? inputs.indexOf(input) > at
    : at < 0 || inputs.indexOf(input) < at) ?? order[0];
  if (next === from) return false;
  next.focus();
  next.select();
  return true;
};

const confirm = (input) => {
  input.dataset.confirmed = "true";
  input.classList.add("confirmed");
  element.querySelector(`.cell-box[data-of="${CSS.escape(input.dataset.path)}"]`)
    ?.classList.remove("doubtful");
};

const saveBill = (accept) => {
  const card = billCard();
  if (!card) return;
  remembered();
  trigger("click", {
    do: accept ? "accept-bill" : "save-bill", card: "bill", changes: changes(), fields: {},
  });
};

inPage["save-bill"] = () => saveBill(false);
inPage["accept-bill"] = () => saveBill(true);
inPage["add-row"] = () => {
  const rows = element.querySelectorAll(".bill-items tbody tr");
  const last = rows[rows.length - 1];
  if (!last) return;
  const row = last.cloneNode(true);
  row.removeAttribute("data-gone");
  row.querySelectorAll("small").forEach((why) => why.remove());
  row.querySelector("button")?.remove();
  for (const input of row.querySelectorAll("input.cell")) {
    input.dataset.path = input.dataset.path.replace(/^items\.\d+/, `items.${rows.length}`);
    input.dataset.original = input.value = "";
    for (const name of ["box", "doubt", "confirmed"]) delete input.dataset[name];
    input.className = "cell";
  }
  last.after(row);
  row.querySelector("input.cell")?.focus();
};
inPage["remove-row"] = (button) => {
  const row = button.closest("tr");
  if (row.dataset.gone) row.removeAttribute("data-gone");
  else row.dataset.gone = button.dataset.path;
};
inPage["search-bills"] = (button) => {
  const fields = {};
  for (const input of button.closest("[data-form]").querySelectorAll("[name]")) {
    fields[input.name] = input.value;
  }
  trigger("click", {
    do: "search-bills", patient: inBox("bill-patient"), encounter: inBox("bill-encounter"), fields,
  });
};

// Files of somebody without an id are kept under a new one, which the form then shows.
const newPatient = () => {
  const box = document.querySelector("#bill-patient input, #bill-patient textarea");
  box.value = `pat-${crypto.getRandomValues(new Uint32Array(1))[0].toString(16).padStart(8, "0")}`;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  return box.value;
};

const post = async (input) => {
  const chosen = [...input.files];
  input.value = "";
  const patient = inBox("bill-patient") || newPatient();
  const encounter = inBox("bill-encounter");
  const headers = { "X-Patient-Id": patient, "X-Encounter-Id": encounter };
  const ids = [];
  for (const file of chosen) {
    let message = "";
    try {
      const answer = await fetch("pages/attachments", {
        method: "POST",
        headers: { ...headers, "X-File-Name": encodeURIComponent(file.name),
          "Content-Type": "application/octet-stream" },
        body: file,
      });
      const told = await answer.json();
      if (answer.ok) ids.push(...told.map((one) => one.id));
      else message = told.detail ?? String(answer.status);
    } catch {
      message = "!";
    }
    if (message) {
      trigger("click", {
        do: "upload-failed", message: `${input.dataset.failed}${file.name} ${message}`, fields: {},
      });
      return;
    }
  }
  trigger("click", { do: "uploaded", ids, patient, encounter, name: chosen[0].name, fields: {} });
};

element.addEventListener("change", (event) => {
  const input = event.target;
  if (input.matches(".bills-upload input[type=file]") && input.files.length) post(input);
});

element.addEventListener("focusin", (event) => {
  if (event.target.matches("input.cell")) light(event.target.dataset.path);
});

element.addEventListener("input", (event) => {
  if (event.target.matches("input.cell")) {
    event.target.classList.toggle("dirty", changed(event.target));
  }
});

element.addEventListener("click", (event) => {
  const box = event.target.closest(".cell-box");
  if (!box) return;
  const input = element.querySelector(`input.cell[data-path="${CSS.escape(box.dataset.of)}"]`);
  input?.focus();
  input?.scrollIntoView({ block: "nearest" });
});

element.addEventListener("keydown", (event) => {
  const input = event.target.matches("input.cell") ? event.target : null;
  if (event.key === "Enter" && event.ctrlKey && billCard()) {
    event.preventDefault();
    saveBill(event.shiftKey);
  } else if (event.key === "Enter" && input) {
    event.preventDefault();
    confirm(input);
    go(input, 1);
  } else if (event.key === "Tab" && input && go(input, event.shiftKey ? -1 : 1)) {
    event.preventDefault();
  }
});

// N and P are letters inside of an input; outside they go from doubt to doubt.
if (element.id === "bill-card" || element.closest("#bill-card")) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !element.offsetParent) return;
    if (event.key === "n" || event.key === "N") { if (go(null, 1)) event.preventDefault(); }
    if (event.key === "p" || event.key === "P") { if (go(null, -1)) event.preventDefault(); }
  });
  const shown = () => { putBack(); drawPages(); };
  watch("value", shown);
  shown();
}
