// Counts on a grid, drawn as warmth.

/** Colours from little to much; alpha grows with them so that the page stays readable. */
const COLOURS = [
  [59, 108, 246],
  [33, 183, 166],
  [242, 194, 48],
  [242, 113, 28],
  [217, 32, 44],
];

/** A spot is blurred over so many cells, so that neighbours make one patch. */
const SPREAD_CELLS = 1.6;

const MIN_ALPHA = 0.35;
const MAX_ALPHA = 0.82;

/** Warmer than this share of the warmest a cell is drawn at all. */
const FLOOR = 0.02;

/**
 * @typedef {object} Grid
 * @property {number} columns
 * @property {number} rows
 * @property {number[]} counts row by row
 */

/**
 * Draw a grid over all of a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {Grid} grid
 */
export function drawHeat(canvas, grid) {
  const warmth = spread(grid);
  const warmest = warmth.reduce((most, value) => Math.max(most, value), 0);
  const small = new OffscreenCanvas(grid.columns, grid.rows);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (small.getContext("2d"));
  const picture = context.createImageData(grid.columns, grid.rows);
  warmth.forEach((value, at) => {
    // The root shows single clicks beside a place that was clicked hundreds of times.
    const share = warmest ? Math.sqrt(value / warmest) : 0;
    picture.data.set(colour(share), at * 4);
  });
  context.putImageData(picture, 0, 0);
  const target = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  target.clearRect(0, 0, canvas.width, canvas.height);
  target.imageSmoothingEnabled = true;
  target.imageSmoothingQuality = "high";
  target.drawImage(small, 0, 0, canvas.width, canvas.height);
}

/**
 * Blur the counts: each warms the cells around it.
 * @param {Grid} grid
 * @returns {Float32Array}
 */
function spread({ columns, rows, counts }) {
  const radius = Math.ceil(SPREAD_CELLS * 2);
  const kernel = Array.from({ length: radius + 1 }, (_, distance) =>
    Math.exp(-(distance ** 2) / (2 * SPREAD_CELLS ** 2)),
  );
  const warmth = new Float32Array(columns * rows);
  counts.forEach((count, at) => {
    if (!count) return;
    const x = at % columns;
    const y = Math.floor(at / columns);
    for (let row = Math.max(0, y - radius); row <= Math.min(rows - 1, y + radius); row += 1) {
      for (let column = Math.max(0, x - radius); column <= Math.min(columns - 1, x + radius); column += 1) {
        warmth[row * columns + column] += count * kernel[Math.abs(row - y)] * kernel[Math.abs(column - x)];
      }
    }
  });
  return warmth;
}

/**
 * @param {number} share 0 to 1
 * @returns {[number, number, number, number]} red, green, blue, alpha of 0 to 255
 */
export function colour(share) {
  if (share < FLOOR) return [0, 0, 0, 0];
  const at = Math.min(share, 0.9999) * (COLOURS.length - 1);
  const [low, high] = [COLOURS[Math.floor(at)], COLOURS[Math.floor(at) + 1]];
  const mixed = low.map((value, channel) => Math.round(value + (high[channel] - value) * (at % 1)));
  const alpha = Math.min(1, share / 0.25) * (MIN_ALPHA + (MAX_ALPHA - MIN_ALPHA) * share);
  return [mixed[0], mixed[1], mixed[2], Math.round(alpha * 255)];
}
