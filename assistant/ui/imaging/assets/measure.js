// Lengths, and what lies within an ellipse.  Points are pixels of a slice, {c, r}, whole numbers at
// the centres of pixels; sizes are millimetres of a pixel, {c, r}.
const lengthOf = (a, b, size) => Math.hypot((a.c - b.c) * size.c, (a.r - b.r) * size.r);

// The ellipse in the box of two corners, each pixel taken whole.
const ellipseOf = (a, b) => ({
  c: (a.c + b.c) / 2,
  r: (a.r + b.r) / 2,
  wide: Math.abs(a.c - b.c) / 2 + 0.5,
  high: Math.abs(a.r - b.r) / 2 + 0.5,
});

// Count, area in mm², mean, standard deviation, least and most of value(index).
const withinEllipse = (a, b, size, columns, rows, value) => {
  const { c, r, wide, high } = ellipseOf(a, b);
  let count = 0;
  let mean = 0;
  let squares = 0;
  let least = Infinity;
  let most = -Infinity;
  const last = (middle, half, n) => Math.min(Math.floor(middle + half), n - 1);
  for (let y = Math.max(Math.ceil(r - high), 0); y <= last(r, high, rows); y += 1) {
    for (let x = Math.max(Math.ceil(c - wide), 0); x <= last(c, wide, columns); x += 1) {
      if (((x - c) / wide) ** 2 + ((y - r) / high) ** 2 > 1) continue;
      const one = value(y * columns + x);
      count += 1;
      const away = one - mean;
      mean += away / count;
      squares += away * (one - mean);
      least = Math.min(least, one);
      most = Math.max(most, one);
    }
  }
  const spread = count > 1 ? Math.sqrt(squares / (count - 1)) : 0;
  return { count, area: count * size.c * size.r, mean, spread, least, most };
};
