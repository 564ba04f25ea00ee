
// Relation graphs: a layered picture that is the same each time, for mouse and keyboard.
const ROW = 36;
const NODE = 24;
const GAP = 26;
const TALLEST = 560;
const LONGEST = 14;
const DEEPEST = 5;

const widthOf = (text) => [...text].reduce((sum, c) => sum + (c > "\u2e7f" ? 13 : 7.2), 0);
const shortened = (text) => {
  const points = [...text.replace(/\s+/g, " ")];
  return points.length > LONGEST ? `${points.slice(0, LONGEST - 1).join("")}…` : points.join("");
};

const svgOf = (name, attributes, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

// Each component as a forest that grows to the right: a layer a step, a row a leaf.
const components = ({ nodes, edges }) => {
  const targets = nodes.map(() => []);
  const near = nodes.map(() => []);
  const entered = new Set();
  for (const edge of edges) {
    targets[edge.source].push(edge.target);
    near[edge.source].push(edge.target);
    near[edge.target].push(edge.source);
    entered.add(edge.target);
  }
  // The longest way from a beginning; a circle is followed for a few steps only.
  const layers = nodes.map(() => 0);
  for (let round = 0; round < DEEPEST; round += 1) {
    for (const { source, target } of edges) {
      layers[target] = Math.max(layers[target], Math.min(DEEPEST, layers[source] + 1));
    }
  }
  const found = [];
  const seen = new Set();
  for (let first = 0; first < nodes.length; first += 1) {
    if (seen.has(first)) continue;
    const members = [first];
    seen.add(first);
    for (const one of members) {
      for (const other of near[one]) if (!seen.has(other)) { seen.add(other); members.push(other); }
    }
    members.sort((a, b) => a - b);
    const placed = new Map();
    let row = 0;
    const grow = (one) => {
      placed.set(one, { layer: layers[one], row });
      const rows = [];
      for (const other of targets[one]) if (!placed.has(other)) rows.push(grow(other));
      const own = rows.length ? (rows[0] + rows[rows.length - 1]) / 2 : row++;
      placed.get(one).row = own;
      return own;
    };
    for (const one of members) if (!entered.has(one) && !placed.has(one)) grow(one);
    for (const one of members) if (!placed.has(one)) grow(one);
    found.push({ placed, rows: row });
  }
  return found;
};

const layOut = (graph, wide) => {
  for (const node of graph.nodes) {
    node.shown = shortened(node.text);
    node.width = widthOf(node.shown) + (node.mark ? widthOf(node.mark) * 0.85 + 8 : 0) + 18;
  }
  const space = Math.max(0, ...graph.edges.map((edge) => widthOf(edge.predicate) * 0.9)) + 60;
  const parts = components(graph).map(({ placed, rows }) => {
    const layers = [];
    for (const [one, { layer }] of placed) {
      for (let n = layers.length; n <= layer; n += 1) layers.push(0);
      layers[layer] = Math.max(layers[layer], graph.nodes[one].width);
    }
    const left = [0];
    for (const width of layers) left.push(left[left.length - 1] + (width ? width + space : 0));
    return { placed, left, width: left[left.length - 1] - space, height: rows * ROW };
  });
  parts.sort((a, b) => b.height - a.height);
  const slim = Math.max(...parts.map((part) => part.width)) + GAP;
  const columns = Math.max(1, Math.floor((wide + GAP) / slim));
  const heights = Array(columns).fill(10);
  for (const { placed, left, height } of parts) {
    const column = heights.indexOf(Math.min(...heights));
    for (const [one, { layer, row }] of placed) {
      graph.nodes[one].x = 10 + column * slim + left[layer];
      graph.nodes[one].y = heights[column] + row * ROW + ROW / 2;
    }
    heights[column] += height + 8;
  }
  return { width: Math.max(wide, columns * slim), height: Math.max(...heights) + 10 };
};

const pathOf = (from, to) => {
  const [x1, x2] = [from.x + from.width, to.x - 5];
  const bend = Math.max(24, Math.abs(x2 - x1) / 2);
  return `M${x1},${from.y} C${x1 + bend},${from.y} ${x2 - bend},${to.y} ${x2},${to.y}`;
};

const place = (graph, edge) => {
  const [from, to] = [graph.nodes[edge.source], graph.nodes[edge.target]];
  edge.line.setAttribute("d", pathOf(from, to));
  const [x, d] = [from.x + from.width, edge.near];
  edge.word.setAttribute("x", x + (to.x - x) * (d < 0.5 ? d + 0.1 : d - 0.1));
  edge.word.setAttribute("y", from.y + (to.y - from.y) * d * d * (3 - 2 * d) + 4);
};

const drawnNode = (node, number) => {
  node.drawn = svgOf(
    "g",
    {
      class: `gnode t-${node.type}${node.mark ? " qualified" : ""}`,
      transform: `translate(${node.x},${node.y})`,
      tabindex: number ? -1 : 0,
      role: "button",
      "aria-label": node.label,
      "data-to": node.to,
    },
    svgOf("rect", { y: -NODE / 2, width: node.width, height: NODE, rx: 5 }),
  );
  const words = svgOf("text", { x: 9, y: 4.5 });
  words.textContent = node.shown;
  if (node.mark) {
    const mark = svgOf("tspan", { dx: 6, class: "gmark" });
    mark.textContent = node.mark;
    words.append(mark);
  }
  const title = svgOf("title", {});
  title.textContent = node.label;
  node.drawn.append(words, title);
  return node.drawn;
};

let arrows = 0;

const draw = (figure) => {
  const graph = JSON.parse(figure.dataset.graph);
  const view = figure.querySelector(".graph-view");
  const { width, height } = layOut(graph, view.clientWidth);
  const whole = { x: 0, y: 0, w: width, h: Math.min(height, TALLEST) };
  const arrow = svgOf(
    "marker",
    { id: `arrow-${(arrows += 1)}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto" },
    svgOf("path", { d: "M0,0 L8,4 L0,8 z" }),
  );
  const svg = svgOf("svg", { role: "group", "aria-label": figure.getAttribute("aria-label") });
  svg.append(svgOf("defs", {}, arrow));
  const into = graph.nodes.map(() => 0);
  for (const edge of graph.edges) into[edge.target] += 1;
  for (const edge of graph.edges) {
    // The word stands where its line has parted from the others.
    edge.near = into[edge.target] > 1 ? 0.22 : 0.72;
    edge.line = svgOf("path", { class: `gedge ${edge.kind}`, "marker-end": `url(#arrow-${arrows})` });
    edge.word = svgOf("text", { class: "gword" });
    edge.word.textContent = edge.predicate;
    place(graph, edge);
    svg.append(edge.line, edge.word);
  }
  graph.nodes.forEach((node, number) => svg.append(drawnNode(node, number)));
  view.replaceChildren(svg);
  svg.style.height = `${(whole.h * view.clientWidth) / width}px`;
  attend(figure, svg, graph, whole);
};

const attend = (figure, svg, graph, whole) => {
  const box = { ...whole };
  const show = () => svg.setAttribute("viewBox", `${box.x} ${box.y} ${box.w} ${box.h}`);
  const zoom = (factor) => {
    const w = Math.min(whole.w * 3, Math.max(whole.w / 6, box.w * factor));
    const by = w / box.w;
    box.x += (box.w * (1 - by)) / 2;
    box.y += (box.h * (1 - by)) / 2;
    box.w = w;
    box.h *= by;
    show();
  };
  figure.zooming = { in: () => zoom(0.8), out: () => zoom(1.25), reset: () => { Object.assign(box, whole); show(); } };
  show();
  const numberOf = (target) => graph.nodes.findIndex((node) => node.drawn === target?.closest(".gnode"));
  const light = (number) => {
    svg.classList.toggle("lit", number >= 0);
    for (const node of graph.nodes) node.drawn.classList.remove("near");
    for (const edge of graph.edges) {
      const near = edge.source === number || edge.target === number;
      edge.line.classList.toggle("near", near);
      edge.word.classList.toggle("near", near);
      if (near) for (const end of [edge.source, edge.target]) graph.nodes[end].drawn.classList.add("near");
    }
  };
  const inView = (node) => {
    if (node.x < box.x || node.x + node.width > box.x + box.w) box.x = node.x - box.w / 3;
    if (node.y - NODE < box.y || node.y + NODE > box.y + box.h) box.y = node.y - box.h / 2;
    show();
  };
  const go = (number) => {
    if (number < 0 || number >= graph.nodes.length) return;
    for (const node of graph.nodes) node.drawn.setAttribute("tabindex", -1);
    graph.nodes[number].drawn.setAttribute("tabindex", 0);
    graph.nodes[number].drawn.focus({ preventScroll: true });
    inView(graph.nodes[number]);
  };
  const order = graph.nodes.map((_, n) => n).sort((a, b) =>
    graph.nodes[a].y - graph.nodes[b].y || graph.nodes[a].x - graph.nodes[b].x);
  const step = (number, by) => order[order.indexOf(number) + by] ?? -1;
  const along = (number, from, to) => graph.edges.find((edge) => edge[from] === number)?.[to] ?? -1;
  svg.addEventListener("keydown", (event) => {
    const number = numberOf(event.target);
    const acts = {
      ArrowDown: () => go(step(number, 1)),
      ArrowUp: () => go(step(number, -1)),
      ArrowRight: () => go(along(number, "source", "target")),
      ArrowLeft: () => go(along(number, "target", "source")),
      Enter: () => point(graph.nodes[number].to),
      " ": () => point(graph.nodes[number].to),
      "+": figure.zooming.in,
      "=": figure.zooming.in,
      "-": figure.zooming.out,
      0: figure.zooming.reset,
    };
    if (number < 0 || !acts[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    acts[event.key]();
  });
  svg.addEventListener("focusin", (event) => light(numberOf(event.target)));
  svg.addEventListener("focusout", () => light(-1));
  svg.addEventListener("pointerover", (event) => light(numberOf(event.target)));
  svg.addEventListener("pointerleave", () => light(numberOf(document.activeElement)));
  svg.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.1 : 0.9);
  }, { passive: false });
  let held = null;
  svg.addEventListener("pointerdown", (event) => {
    held = { number: numberOf(event.target), x: event.clientX, y: event.clientY, moved: false };
  });
  svg.addEventListener("pointermove", (event) => {
    if (!held || !event.buttons) { held = null; return; }
    const scale = box.w / svg.clientWidth;
    const [dx, dy] = [(event.clientX - held.x) * scale, (event.clientY - held.y) * scale];
    if (!held.moved && Math.hypot(dx, dy) < 4) return;
    if (!held.moved) svg.setPointerCapture(event.pointerId);
    Object.assign(held, { moved: true, x: event.clientX, y: event.clientY });
    const node = graph.nodes[held.number];
    if (node) {
      node.x += dx;
      node.y += dy;
      node.drawn.setAttribute("transform", `translate(${node.x},${node.y})`);
      for (const edge of graph.edges) {
        if (edge.source === held.number || edge.target === held.number) place(graph, edge);
      }
    } else {
      box.x -= dx;
      box.y -= dy;
      show();
    }
  });
  svg.addEventListener("click", (event) => {
    if (held?.moved) event.stopPropagation();
    held = null;
  }, true);
};

inPage.graph = (button) => button.closest(".graph").zooming?.[button.dataset.zoom]();

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting || !entry.target.isConnected) continue;
    seen.unobserve(entry.target);
    draw(entry.target);
  }
});
const drawWhenSeen = () => {
  seen.disconnect();
  for (const figure of element.querySelectorAll(".graph[data-graph]")) seen.observe(figure);
};
watch("value", drawWhenSeen);
drawWhenSeen();
