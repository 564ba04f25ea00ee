// Buttons, lists and their words.
const selects = { plane: made("select", "viewer-plane"), window: made("select", "viewer-window") };
const buttons = Object.fromEntries(
  TOOLS.map((tool) => [tool, made("button", "act", { type: "button", onclick: () => take(tool) })]),
);
const cleared = made("button", "act viewer-clear", { type: "button", onclick: clear });
const opacity = made("input", "viewer-opacity", { type: "range", min: 0, max: 1, step: 0.05 });
parts.bar.append(selects.plane, selects.window, ...Object.values(buttons), cleared);

const options = (select, keys, chosen) => {
  select.replaceChildren(
    ...keys.map((key) => made("option", "", { value: key, textContent: word(key) })),
  );
  select.value = chosen;
};

// Everything that has words: again when the language of the page has changed.
const labelled = () => {
  view.words = JSON.parse(holder().dataset.words || "{}");
  if (!view.opened) return;
  options(selects.plane, PLANES, view.plane);
  const windows = ["auto", ...Object.keys(view.opened.windows)];
  options(selects.window, windows, selects.window.value || holder().dataset.window || "auto");
  selects.plane.setAttribute("aria-label", word("plane_label"));
  selects.window.setAttribute("aria-label", word("window_label"));
  for (const [tool, button] of Object.entries(buttons)) button.textContent = word(tool);
  cleared.textContent = word("clear");
  parts.slices.setAttribute("aria-label", word("slice"));
  parts.times.setAttribute("aria-label", word("time"));
  parts.times.max = view.opened.seconds.length - 1;
  parts.times.hidden = view.opened.seconds.length < 2;
  parts.canvas.setAttribute("aria-label", word("keys"));
  const head = made("summary", "", { textContent: word("keys_title") });
  parts.keys.replaceChildren(head, word("keys"));
  listClasses();
  listMarks();
  drawCurves();
  take(view.tool);
};

const listClasses = () => {
  parts.classes.replaceChildren();
  if (!view.opened.classes.length) return;
  opacity.value = view.opacity;
  const share = made("label", "viewer-share");
  share.append(word("opacity"), " ", opacity);
  const all = made("button", "act viewer-all", { type: "button", textContent: word("all") });
  all.onclick = () => {
    const any = view.hidden.size > 0;
    view.hidden = new Set(any ? [] : view.opened.classes.map((one) => one.label));
    listClasses();
    paint();
  };
  const rows = view.opened.classes.map((one) => {
    const row = made("label", "viewer-class");
    const box = made("input", "", { type: "checkbox", checked: !view.hidden.has(one.label) });
    box.dataset.label = one.label;
    box.onchange = () => {
      if (box.checked) view.hidden.delete(one.label);
      else view.hidden.add(one.label);
      paint();
    };
    const swatch = made("span", "swatch");
    swatch.style.background = `rgb(${one.colour.join(",")})`;
    row.append(box, swatch, one.name);
    return row;
  });
  parts.classes.append(share, all, ...rows);
};

selects.plane.onchange = () => move(selects.plane.value, view.at[selects.plane.value]);
selects.window.onchange = () => {
  [view.low, view.high] = windowOf(selects.window.value);
  paint();
  tell();
};
parts.slices.oninput = () => move(view.plane, Number(parts.slices.value));
parts.times.oninput = () => moveTime(Number(parts.times.value));
opacity.oninput = () => {
  view.opacity = Number(opacity.value);
  paint();
};
