// What is fetched: the opening of a series, and the slice that is wanted now with those behind it.
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
