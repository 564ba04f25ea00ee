// Mouse and keys; and the place on the page, which the server draws anew.
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
