// A slice on the canvas, with labels, measurements and the cross; and what is said of it in words.
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
  const fit = Math.min(parts.root.clientWidth / wide, (innerHeight * 0.6) / high) || 1;
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
