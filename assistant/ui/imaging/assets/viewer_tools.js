// Measurements, values and curves; moving through slices and times.
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
