// A volume, slice by slice: drawn here from its numbers, so that window, opacity, classes and
// measurements need no answer of the server.  Words come with the panel and are set as text.
const PLANES = ["axial", "coronal", "sagittal"];
const TOOLS = ["probe", "length", "region", "window"];
const AHEAD = 24;
const BEHIND = 6;
const CURVES = ["#0f6e78", "#c2410c", "#6d28d9", "#a16207"];

const made = (tag, css = "", more = {}) =>
  Object.assign(document.createElement(tag), { className: css, ...more });
const limited = (value, least, most) => Math.min(Math.max(value, least), most);

const view = {
  opened: null, images: null, maps: null, token: "", asked: "", words: {},
  plane: "axial", at: {}, time: 0, tool: "probe", low: 0, high: 1, opacity: 0.5,
  shown: null, map: null, hidden: new Set(), marks: [], begun: null, cursor: null, curves: [], drawing: 0, step: 1,
};

const parts = {
  root: made("div", "slice-viewer"),
  bar: made("div", "viewer-bar"),
  canvas: made("canvas", "slice", { tabIndex: 0 }),
  said: made("p", "viewer-said small"),
  slices: made("input", "viewer-slices", { type: "range", min: 0, step: 1 }),
  times: made("input", "viewer-times", { type: "range", min: 0, step: 1 }),
  classes: made("div", "viewer-classes"),
  marks: made("ol", "viewer-marks small"),
  curves: made("div", "viewer-curves"),
  keys: made("details", "viewer-keys small"),
  buffer: document.createElement("canvas"),
};
parts.said.setAttribute("role", "status");
parts.canvas.setAttribute("role", "application");
parts.root.append(
  parts.bar, parts.canvas, parts.slices, parts.times, parts.said, parts.classes, parts.marks,
  parts.curves, parts.keys,
);

const holder = () => element.querySelector(".viewer");
const word = (key) => view.words[key] ?? key;

// What a plane has: columns, rows, slices, and millimetres of a pixel.
const shapeOf = (plane) => {
  const [z, y, x] = view.opened.shape;
  const [dz, dy, dx] = view.opened.spacing;
  if (plane === "axial") return { columns: x, rows: y, count: z, size: { c: dx, r: dy } };
  if (plane === "coronal") return { columns: x, rows: z, count: y, size: { c: dx, r: dz } };
  return { columns: y, rows: z, count: x, size: { c: dy, r: dz } };
};

// Other planes than the axial one have the head above, so their rows run down from the last slice.
const voxelOf = (point) => {
  const at = view.at[view.plane];
  if (view.plane === "axial") return [at, point.r, point.c];
  const z = view.opened.shape[0] - 1 - point.r;
  return view.plane === "coronal" ? [z, at, point.c] : [z, point.c, at];
};

const ask = async (path, more = {}) => {
  const answer = await fetch(`${holder().dataset.base}/${path}`, more);
  if (answer.ok) return answer;
  let said = "";
  try { said = (await answer.json()).detail; } catch { said = String(answer.status); }
  throw Object.assign(new Error(said), { status: answer.status });
};

const load = (kind, Numbers) => async (key) => {
  const fetched = async () => (await ask(`${view.token}/${kind}/${key}`)).arrayBuffer();
  try {
    return new Numbers(await fetched());
  } catch (problem) {
    // The server keeps few volumes: it has let go of this one and opens it again.
    if (problem.status !== 410) throw problem;
    await opening();
    return new Numbers(await fetched());
  }
};

let reopened = null;
const opening = () => {
  const { patient, encounter, series, labels, step } = holder().dataset;
  const headers = { "X-Patient-Id": patient, "X-Encounter-Id": encounter,
    "Content-Type": "application/json" };
  const body = JSON.stringify({
    series: series.split(","), labels: JSON.parse(labels), step: Number(step) || null,
  });
  reopened ??= ask("open", { method: "POST", headers, body })
    .then((answer) => answer.json())
    .then((found) => {
      view.token = found.token;
      return found;
    })
    .finally(() => (reopened = null));
  return reopened;
};

const open = async (asked) => {
  parts.said.textContent = "…";
  parts.canvas.dataset.drawn = "";
  let found;
  try {
    found = await opening();
  } catch (problem) {
    if (view.asked !== asked) return;
    Object.assign(view, { opened: null, shown: null });
    parts.root.classList.remove("open");
    parts.said.textContent = problem.message;
    return;
  }
  if (view.asked !== asked) return;
  const same = view.opened?.image === found.image;
  view.opened = found;
  view.maps = new SliceStore(load("labels", Uint8Array));
  view.hidden = new Set();
  if (!same) {
    view.images = new SliceStore(load("slices", Int16Array));
    [view.low, view.high] = windowOf(holder().dataset.window || "auto");
    Object.assign(view, { marks: [], begun: null, cursor: null, curves: [], time: 0, shown: null });
  }
  if (!same || found.classes.length) view.at = { ...found.starts };
  parts.root.classList.add("open");
  labelled();
  show();
};

const windowOf = (name) => {
  const chosen = view.opened.windows[name] ?? view.opened.auto;
  return [chosen[0], chosen[1]];
};

const keyOf = (plane, number, time) => `${plane}/${number}/${time}`;

const show = async () => {
  if (!view.opened) return;
  const drawing = (view.drawing += 1);
  const { count } = shapeOf(view.plane);
  const at = (view.at[view.plane] = limited(view.at[view.plane], 0, count - 1));
  parts.slices.max = count - 1;
  parts.slices.value = at;
  parts.times.value = view.time;
  const key = keyOf(view.plane, at, view.time);
  const mapKey = keyOf(view.plane, at, 0);
  const wantsMap = view.opened.classes.length > 0;
  const both = [view.images.now(key), wantsMap ? view.maps.now(mapKey) : null];
  try {
    if (!both[0]) both[0] = await view.images.get(key);
    if (wantsMap && !both[1]) both[1] = await view.maps.get(mapKey);
  } catch (problem) {
    if (drawing === view.drawing) parts.said.textContent = problem.message;
    return;
  }
  // Another slice has been asked for meanwhile.
  if (drawing !== view.drawing) return;
  view.shown = both[0];
  view.map = both[1];
  paint();
  tell();
  aheadOf(at, count);
};

const aheadOf = (at, count) => {
  const wanted = [];
  const times = view.opened.seconds.length;
  for (let n = 1; n <= AHEAD; n += 1) {
    const places = n <= BEHIND ? [at + n * view.step, at - n * view.step] : [at + n * view.step];
    wanted.push(...places.filter((one) => one >= 0 && one < count));
  }
  const keys = wanted.map((one) => keyOf(view.plane, one, view.time));
  const later = times > 1 ? [...Array(times).keys()] : [];
  view.images.ahead([...later.map((t) => keyOf(view.plane, at, t)), ...keys]);
  if (view.opened.classes.length) view.maps.ahead(wanted.map((one) => keyOf(view.plane, one, 0)));
};

const valueAt = (index) => view.shown[index] * view.opened.slope + view.opened.intercept;

const paint = () => {
  const { columns, rows, size } = shapeOf(view.plane);
  const { buffer, canvas } = parts;
  buffer.width = columns;
  buffer.height = rows;
  const context = buffer.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const scale = 255 / Math.max(view.high - view.low, 1e-9);
  const gain = view.opened.slope * scale;
  const shift = (view.opened.intercept - view.low) * scale;
  const colours = new Map(view.opened.classes.map((one) => [one.label, one.colour]));
  const cells = columns * rows;
  const inner = view.map && view.map.length > cells;
  for (let n = 0; n < cells; n += 1) {
    const grey = limited(view.shown[n] * gain + shift, 0, 255) | 0;
    let colour = null;
    if (view.map) {
      const over = inner ? view.map[cells + n] : 0;
      const label = over && !view.hidden.has(over) ? over : view.map[n];
      if (label && !view.hidden.has(label)) colour = colours.get(label);
    }
    if (colour) {
      const [r, g, b] = colour.map((one) => grey + (one - grey) * view.opacity);
      pixels[n] = (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
    } else {
      pixels[n] = (0xff000000 | (grey << 16) | (grey << 8) | grey) >>> 0;
    }
  }
  context.putImageData(image, 0, 0);
  const wide = columns * size.c;
  const high = rows * size.r;
  const fit = Math.min(parts.root.clientWidth / wide, (innerHeight * 0.7) / high) || 1;
  canvas.width = Math.max(Math.round(wide * fit), 1);
  canvas.height = Math.max(Math.round(high * fit), 1);
  const target = canvas.getContext("2d");
  target.drawImage(buffer, 0, 0, canvas.width, canvas.height);
  paintMarks(target, canvas.width / columns, canvas.height / rows);
  canvas.dataset.drawn = `${view.plane} ${view.at[view.plane]} ${view.time} ${view.map ? 1 : 0}`;
};

const here = (mark) => mark.plane === view.plane && mark.at === view.at[view.plane];

const paintMarks = (target, across, down) => {
  const place = (point) => [(point.c + 0.5) * across, (point.r + 0.5) * down];
  target.lineWidth = 1.5;
  target.font = "12px system-ui, sans-serif";
  const all = view.begun ? [...view.marks, { ...view.begun, number: "" }] : view.marks;
  for (const mark of all.filter(here)) {
    target.strokeStyle = target.fillStyle = "#ffd400";
    target.beginPath();
    const [x, y] = place(mark.b);
    if (mark.kind === "length") {
      target.moveTo(...place(mark.a));
      target.lineTo(x, y);
    } else {
      const { c, r, wide, high } = ellipseOf(mark.a, mark.b);
      target.ellipse(...place({ c, r }), wide * across, high * down, 0, 0, 2 * Math.PI);
    }
    target.stroke();
    target.fillText(mark.number, x + 4, y - 4);
  }
  for (const [n, one] of view.curves.entries()) {
    if (!here(one)) continue;
    target.fillStyle = CURVES[n];
    target.beginPath();
    target.arc(...place(one.point), 3.5, 0, 2 * Math.PI);
    target.fill();
  }
  if (view.cursor) {
    const [x, y] = place(view.cursor);
    target.strokeStyle = "#22d3ee";
    target.beginPath();
    target.moveTo(x - 8, y);
    target.lineTo(x + 8, y);
    target.moveTo(x, y - 8);
    target.lineTo(x, y + 8);
    target.stroke();
  }
};

const shown = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

const tell = (point = view.cursor) => {
  const { count, columns } = shapeOf(view.plane);
  const unit = view.opened.unit ? ` ${view.opened.unit}` : "";
  const said = [`${word(view.plane)} ${view.at[view.plane] + 1} / ${count}`];
  if (view.opened.seconds.length > 1) {
    said.push(`${view.opened.seconds[view.time].toFixed(1)} s`);
  }
  said.push(`${word("window")} ${shown(view.low)} – ${shown(view.high)}`);
  if (point) {
    const index = point.r * columns + point.c;
    said.push(`(${point.c}, ${point.r}) ${shown(valueAt(index))}${unit}`);
    const label = view.map?.[index];
    const found = view.opened.classes.find((one) => one.label === label);
    if (found) said.push(found.name);
  }
  parts.said.textContent = said.join(" · ");
};

const measured = (mark) => {
  const { columns, rows, size } = shapeOf(mark.plane);
  if (mark.kind === "length") return `${lengthOf(mark.a, mark.b, size).toFixed(1)} mm`;
  const found = withinEllipse(mark.a, mark.b, size, columns, rows, valueAt);
  const unit = view.opened.unit ? ` ${view.opened.unit}` : "";
  return (
    `${word("mean")} ${shown(found.mean)} ± ${shown(found.spread)}${unit} · ` +
    `${shown(found.least)} – ${shown(found.most)} · ${found.area.toFixed(1)} mm² (${found.count})`
  );
};

const listMarks = () => {
  parts.marks.replaceChildren(
    ...view.marks.map((mark) => {
      const line = made("li");
      const place = `${word(mark.plane)} ${mark.at + 1}`;
      const go = made("button", "link", { type: "button" });
      go.textContent = `${word(mark.kind)} · ${place}`;
      go.onclick = () => move(mark.plane, mark.at);
      line.append(go, ` ${mark.said}`);
      return line;
    }),
  );
};

const finish = () => {
  const mark = { ...view.begun, number: String(view.marks.length + 1) };
  view.begun = null;
  mark.said = measured(mark);
  view.marks.push(mark);
  listMarks();
  paint();
};

const begin = (point) => {
  view.begun = {
    kind: view.tool, plane: view.plane, at: view.at[view.plane], time: view.time, a: point, b: point,
  };
};

const probe = async (point) => {
  view.cursor = point;
  paint();
  tell();
  if (view.opened.seconds.length < 2) return;
  const [z, y, x] = voxelOf(point);
  try {
    const answer = await ask(`${view.token}/curve/${z}/${y}/${x}`);
    const values = await answer.json();
    const one = { plane: view.plane, at: view.at[view.plane], point, values, voxel: [x, y, z] };
    view.curves = [...view.curves, one].slice(-CURVES.length);
  } catch (problem) {
    parts.said.textContent = problem.message;
    return;
  }
  paint();
  drawCurves();
};

const drawCurves = () => {
  parts.curves.replaceChildren();
  if (!view.curves.length) return;
  const seconds = view.opened.seconds;
  const all = view.curves.flatMap((one) => one.values);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const [wide, tall, edge] = [480, 180, 36];
  const end = seconds[seconds.length - 1] || 1;
  const x = (t) => edge + (t / end) * (wide - edge - 8);
  const y = (value) => 8 + (1 - (value - low) / Math.max(high - low, 1e-9)) * (tall - 30);
  const svg = (tag, more, text = "") => {
    const one = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(more)) one.setAttribute(key, value);
    one.textContent = text;
    return one;
  };
  const plot = svg("svg", { viewBox: `0 0 ${wide} ${tall}`, role: "img", class: "curve-plot" });
  const now = x(seconds[view.time]);
  plot.append(
    svg("line", { x1: now, x2: now, y1: 8, y2: tall - 22, stroke: "#94a3b8" }),
    svg("text", { x: 0, y: 14, "font-size": 10 }, shown(high)),
    svg("text", { x: 0, y: tall - 22, "font-size": 10 }, shown(low)),
    svg("text", { x: wide - 50, y: tall - 6, "font-size": 10 }, `${end.toFixed(0)} s`),
  );
  for (const [n, one] of view.curves.entries()) {
    const points = one.values.map((value, t) => `${x(seconds[t])},${y(value)}`).join(" ");
    const look = { fill: "none", "stroke-width": 1.6, stroke: CURVES[n] };
    plot.append(svg("polyline", { points, "data-voxel": one.voxel.join(","), ...look }));
  }
  const names = view.curves.map((one) => `(${one.voxel.join(", ")})`).join(" ");
  plot.setAttribute("aria-label", `${word("curve")} ${names}`);
  parts.curves.append(plot);
};

const move = (plane, at) => {
  const before = view.at[plane];
  if (plane === view.plane && at !== before) view.step = at > before ? 1 : -1;
  if (plane !== view.plane || at !== before) view.begun = null;
  if (plane !== view.plane) Object.assign(view, { cursor: null, shown: null });
  view.plane = plane;
  view.at[plane] = at;
  selects.plane.value = plane;
  show();
};

const moveTime = (time) => {
  view.time = limited(time, 0, view.opened.seconds.length - 1);
  show();
  drawCurves();
};

const take = (tool) => {
  view.tool = tool;
  view.begun = null;
  for (const [name, button] of Object.entries(buttons)) {
    button.setAttribute("aria-pressed", String(name === tool));
  }
  if (view.shown) paint();
};

const clear = () => {
  Object.assign(view, { marks: [], begun: null, curves: [] });
  listMarks();
  drawCurves();
  paint();
};

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

const pointOf = (event) => {
  const box = parts.canvas.getBoundingClientRect();
  const { columns, rows } = shapeOf(view.plane);
  const part = (at, from, size, n) => limited(Math.floor(((at - from) / size) * n), 0, n - 1);
  return {
    c: part(event.clientX, box.left, box.width, columns),
    r: part(event.clientY, box.top, box.height, rows),
  };
};

let dragged = null;
parts.canvas.addEventListener("pointerdown", (event) => {
  if (!view.shown) return;
  parts.canvas.focus({ preventScroll: true });
  parts.canvas.setPointerCapture(event.pointerId);
  if (event.button === 2 || view.tool === "window") {
    dragged = { x: event.clientX, y: event.clientY, low: view.low, high: view.high };
  } else if (view.tool === "probe") {
    probe(pointOf(event));
  } else {
    view.cursor = null;
    begin(pointOf(event));
  }
});
parts.canvas.addEventListener("pointermove", (event) => {
  if (!view.shown) return;
  if (dragged) {
    const width = Math.max(dragged.high - dragged.low, 1e-9);
    const wide = width * Math.exp((event.clientX - dragged.x) / 200);
    const middle = (dragged.low + dragged.high) / 2 + ((event.clientY - dragged.y) / 300) * width;
    [view.low, view.high] = [middle - wide / 2, middle + wide / 2];
    paint();
    tell();
  } else {
    if (view.begun && event.buttons) {
      view.begun.b = pointOf(event);
      paint();
    }
    tell(pointOf(event));
  }
});
parts.canvas.addEventListener("pointerup", () => {
  dragged = null;
  if (view.begun && (view.begun.a.c !== view.begun.b.c || view.begun.a.r !== view.begun.b.r)) {
    finish();
  }
});
parts.canvas.addEventListener("contextmenu", (event) => event.preventDefault());
parts.canvas.addEventListener("wheel", (event) => {
  if (!view.opened || event.ctrlKey) return;
  event.preventDefault();
  const { count } = shapeOf(view.plane);
  const at = view.at[view.plane] + (event.deltaY > 0 ? 1 : -1);
  move(view.plane, limited(at, 0, count - 1));
}, { passive: false });

const steer = (key, far) => {
  const { columns, rows } = shapeOf(view.plane);
  const from = view.cursor ?? { c: columns >> 1, r: rows >> 1 };
  const step = far ? 10 : 1;
  const across = { ArrowLeft: -step, ArrowRight: step }[key] ?? 0;
  const down = { ArrowUp: -step, ArrowDown: step }[key] ?? 0;
  view.cursor = {
    c: limited(from.c + across, 0, columns - 1),
    r: limited(from.r + down, 0, rows - 1),
  };
  if (view.begun) view.begun.b = view.cursor;
  paint();
  tell();
};

const enter = () => {
  if (!view.cursor) steer("", false);
  else if (view.tool === "probe") probe(view.cursor);
  else if (view.begun) finish();
  else if (view.tool !== "window") begin(view.cursor);
};

const onKey = (event) => {
  const { key } = event;
  const { count } = shapeOf(view.plane);
  const to = (at) => move(view.plane, limited(at, 0, count - 1));
  const at = view.at[view.plane];
  if (event.shiftKey && key.startsWith("Arrow")) return steer(key, event.altKey);
  const done = {
    ArrowUp: () => to(at - 1), ArrowDown: () => to(at + 1),
    PageUp: () => to(at - 10), PageDown: () => to(at + 10),
    Home: () => to(0), End: () => to(count - 1),
    ArrowLeft: () => moveTime(view.time - 1), ArrowRight: () => moveTime(view.time + 1),
    1: () => move("axial", view.at.axial), 2: () => move("coronal", view.at.coronal),
    3: () => move("sagittal", view.at.sagittal),
    p: () => take("probe"), d: () => take("length"), r: () => take("region"),
    w: () => take("window"), Enter: enter, Delete: clear, Escape: () => take(view.tool),
  }[key.length === 1 ? key.toLowerCase() : key];
  return done ? done() ?? true : false;
};

parts.canvas.addEventListener("keydown", (event) => {
  if (!view.shown || event.ctrlKey || event.metaKey) return;
  if (onKey(event) !== false) event.preventDefault();
});

// The server draws the place anew whenever something is chosen; what is shown in it is kept here.
const renew = () => {
  const place = holder();
  if (!place) {
    Object.assign(view, { asked: "", opened: null, shown: null });
    return;
  }
  place.append(parts.root);
  const { patient, encounter, series, labels, step, revision } = place.dataset;
  const asked = [patient, encounter, series, labels, step, revision].join("|");
  if (asked === view.asked) {
    labelled();
    if (view.opened) show();
    return;
  }
  view.asked = asked;
  view.words = JSON.parse(place.dataset.words || "{}");
  open(asked);
};
addEventListener("resize", () => view.shown && paint());
watch("value", renew);
renew();
