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
