
// 后结构化: places in the notes, types that can be hidden, files in, documents out.
const page = () => document.querySelector(".structured-page");
let flashing = 0;

const flash = (range) => {
  if (!window.Highlight || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  let turn = 0;
  clearInterval(flashing);
  flashing = setInterval(() => {
    turn += 1;
    if (turn % 2) CSS.highlights.set("flash", Object.assign(new Highlight(range), { priority: 1 }));
    else CSS.highlights.delete("flash");
    if (turn >= 6) clearInterval(flashing);
  }, 170);
};

const point = (to) => {
  const [note, start, end] = to.split(" ");
  const range = highlight({ dataset: { record: "notes", note, start, end } });
  if (!range) return;
  range.startContainer.parentElement.closest(".scrolls")?.scrollIntoView({ block: "nearest" });
  flash(range);
};

const showTypes = () => {
  const off = (page()?.dataset.off ?? "").split(" ");
  for (const button of element.querySelectorAll("button[data-toggle]")) {
    button.setAttribute("aria-pressed", String(!off.includes(button.dataset.toggle)));
  }
};

const toggle = (button) => {
  const off = new Set((page().dataset.off ?? "").split(" ").filter(Boolean));
  const type = button.dataset.toggle;
  if (!off.delete(type)) off.add(type);
  page().dataset.off = [...off].join(" ");
  showTypes();
};

const inBase64 = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });

element.addEventListener("change", async (event) => {
  const input = event.target;
  if (!input.matches("input[type=file][multiple]") || !input.files.length) return;
  const chosen = [...input.files];
  input.value = "";
  // In Base64 three bytes are four; what is around them needs a little, too.
  const size = chosen.reduce((sum, file) => sum + (file.size * 4) / 3 + file.name.length * 4 + 64, 2000);
  if (size > Number(input.dataset.limit)) {
    trigger("click", { do: "too_large", fields: {} });
    return;
  }
  const read = async (file) => ({ name: file.name, data: await inBase64(file).catch(() => "?") });
  trigger("click", { do: "files", files: await Promise.all(chosen.map(read)) });
});

element.addEventListener("click", (event) => {
  const place = event.target.closest("[data-to]");
  if (place && element.contains(place)) {
    point(place.dataset.to);
    return;
  }
  const type = event.target.closest("button[data-toggle]");
  if (type) toggle(type);
  const marked = event.target.closest(".en[data-e]");
  if (marked && String(document.getSelection()) === "") {
    const [heading, ...rest] = marked.title.split(" · ");
    explain(marked, heading, rest.join("\n"));
  }
});

watch("value", showTypes);
showTypes();
