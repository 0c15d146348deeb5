// Icons on a grid of 16, drawn with lines in the colour of the text.

/** @type {Readonly<Record<string, string>>} */
const PATHS = {
  play: "M5 3.2v9.6L12.6 8z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  next: "M4 3.5v9L10 8zM12 3.5v9",
  previous: "M12 3.5v9L6 8zM4 3.5v9",
  skip: "M2.5 4v8l5-4zM8 4v8l5-4z",
  share:
    "M11.5 5.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM4.5 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM11.5 14.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM6.2 7 9.8 4.6M6.2 9l3.6 2.4",
  trash: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9M6.6 7.2v3.8M9.4 7.2v3.8",
  download: "M8 2.5v7.5M4.8 7 8 10.2 11.2 7M2.8 13.2h10.4",
  link: "M6.6 9.4a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.4 6.6a2.6 2.6 0 0 0-3.7 0L3.5 8.8a2.6 2.6 0 0 0 3.7 3.7l.8-.8",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  check: "m3 8.5 3.2 3.2L13 4.8",
  close: "m4 4 8 8M12 4l-8 8",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4 14 14",
  filter: "M2.5 4h11M4.5 8h7M6.5 12h3",
  left: "M10 3.5 5.5 8l4.5 4.5",
  right: "M6 3.5 10.5 8 6 12.5",
  down: "M3.5 6 8 10.5 12.5 6",
  up: "M3.5 10 8 5.5l4.5 4.5",
  external: "M6.5 3.5h-3v9h9v-3M9 3h4v4M13 3 7.5 8.5",
  warn: "M8 2.3 14.3 13.2H1.7zM8 6.4v3.2M8 11.4v.1",
  info: "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 7.4v3.6M8 5v.1",
  help: "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM6.3 6.3a1.8 1.8 0 1 1 2.5 1.7c-.5.2-.8.6-.8 1.2M8 11.3v.1",
  keyboard: "M1.8 4h12.4v8H1.8zM4.4 6.6v.1M7 6.6v.1M9.6 6.6v.1M12 6.6v.1M5 9.6h6",
  clock: "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 4.8V8l2.2 1.6",
  user: "M8 7.5a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2zM3 13.7c.3-2.6 2.3-4 5-4s4.7 1.4 5 4",
  device: "M2 3h12v8H2zM5.5 13.5h5",
  columns: "M2.2 3h11.6v10H2.2zM8 3v10",
  layers: "M8 2.2 14 5.5 8 8.8 2 5.5zM2.6 8.7 8 11.6l5.4-2.9M2.6 11 8 13.9 13.4 11",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z",
  auto: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 2v12M8 4.5h3.6M8 7h5.2M8 9.5h5M8 12h3.4",
  eye: "M1.5 8C3 5 5.3 3.6 8 3.6S13 5 14.5 8C13 11 10.7 12.4 8 12.4S3 11 1.5 8zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  pointer: "M3 2.5 13 7l-4.3 1.6L7 13z",
  refresh: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5v3h-3",
  logout: "M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6",
  globe:
    "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM2 8h12M8 2c2 1.7 2.8 3.7 2.8 6S10 12.3 8 14C6 12.3 5.2 10.3 5.2 8S6 3.7 8 2z",
  list: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4v.1M2.5 8v.1M2.5 12v.1",
  chart: "M2.5 13.5h11M4.5 11V8M8 11V3M11.5 11V6",
  flame: "M8 14c-2.6 0-4.3-1.7-4.3-4C3.7 6.8 7.2 6 7 2c2.6 1.2 5.3 4 5.3 7.8C12.3 12.3 10.6 14 8 14z",
  terminal: "m3 4.5 3.5 3.5L3 11.5M8 12h5",
  network: "M5 13V3.5M2.5 6 5 3.5 7.5 6M11 3v9.5M8.5 10 11 12.5 13.5 10",
  page: "M3.5 2h6l3 3v9h-9zM9.5 2v3h3",
  window: "M2 3h12v10H2zM2 6h12M4 4.5v.1M6 4.5v.1",
  hole: "M3 3l10 10M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z",
  spark: "M8 1.8 9.6 6.4 14.2 8 9.6 9.6 8 14.2 6.4 9.6 1.8 8 6.4 6.4z",
  star: "m8 2 1.8 3.8 4.2.6-3 2.9.7 4.2L8 11.5l-3.7 2 .7-4.2-3-2.9 4.2-.6z",
  plus: "M8 3v10M3 8h10",
  settings:
    "M2.5 5h7M12.5 5h1M2.5 11h1M6.5 11h7M11 6.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM5 12.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z",
  expand: "M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5 9 7M2.5 13.5 7 9",
};

const FILLED = new Set(["play"]);
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} name one of the names above
 * @returns {SVGSVGElement} hidden from readers of the page: the control says in words what it does
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.info);
  path.setAttribute("fill", FILLED.has(name) ? "currentColor" : "none");
  path.setAttribute("stroke", "currentColor");
  path.setAttribute("stroke-width", "1.4");
  path.setAttribute("stroke-linecap", "round");
  path.setAttribute("stroke-linejoin", "round");
  svg.append(path);
  return svg;
}

/** The mark: an eye that winces. */
export function mark() {
  const svg = icon("info");
  svg.setAttribute("viewBox", "0 0 24 24");
  const path = /** @type {SVGPathElement} */ (svg.firstElementChild);
  path.setAttribute("d", "M3 8.5 9.5 12 3 15.5M21 8.5 14.5 12 21 15.5M8 19c1.2-1 2.5-1.5 4-1.5s2.8.5 4 1.5");
  path.setAttribute("stroke-width", "2.2");
  return svg;
}
