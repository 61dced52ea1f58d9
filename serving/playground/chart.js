// A series and how it goes on, as SVG. What is drawn also stands in a table beside it.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 720;
const HEIGHT = 260;
const MARGIN = { top: 12, right: 12, bottom: 24, left: 52 };
const TICKS = 4;

/**
 * @param {string} label for those who do not see it
 * @param {number[]} past
 * @param {number[]} mean what comes after it
 * @param {?number[]} lower where its interval begins, if it has one
 * @param {?number[]} upper where it ends
 */
export function forecastChart(label, past, mean, lower, upper) {
  const all = [...past, ...mean, ...(lower ?? []), ...(upper ?? [])];
  const [least, most] = bounds(all);
  const count = past.length + mean.length;
  const x = (step) =>
    MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * step) / Math.max(1, count - 1);
  const y = (value) =>
    MARGIN.top + ((HEIGHT - MARGIN.top - MARGIN.bottom) * (most - value)) / (most - least);
  const line = (values, first) =>
    values.map((value, at) => `${at ? "L" : "M"}${place(x(first + at))} ${place(y(value))}`).join("");
  const now = past.length - 1;
  const last = past[now]; // the lines go on from what is known
  const parts = [...ticks(least, most, y), edge(x(now))];
  if (lower) {
    const back = [...upper].reverse().map((value, at) => [x(count - 1 - at), y(value)]);
    const rest = back.map(([right, down]) => `L${place(right)} ${place(down)}`).join("");
    parts.push(svg("path", { class: "band", d: `${line([last, ...lower], now)}${rest}Z` }));
  }
  parts.push(svg("path", { class: "past", d: line(past, 0) }));
  parts.push(svg("path", { class: "next", d: line([last, ...mean], now) }));
  const box = `0 0 ${WIDTH} ${HEIGHT}`;
  return svg("svg", { class: "chart", viewBox: box, role: "img", "aria-label": label }, ...parts);
}

function ticks(least, most, y) {
  return Array.from({ length: TICKS }, (_, at) => {
    const value = least + ((most - least) * at) / (TICKS - 1);
    const text = svg("text", { x: MARGIN.left - 6, y: place(y(value) + 4), "text-anchor": "end" });
    text.textContent = short(value);
    const ends = { x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: place(y(value)) };
    return svg("g", {}, svg("line", { class: "rule", ...ends, y2: ends.y1 }), text);
  });
}

function edge(x) {
  const ends = { x1: place(x), x2: place(x), y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom };
  const text = svg("text", { x: place(x), y: HEIGHT - 6, "text-anchor": "end" });
  text.textContent = "last number";
  return svg("g", {}, svg("line", { class: "now", ...ends }), text);
}

/** Least and most, apart even where all are alike. */
function bounds(values) {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const room = (most - least) * 0.04 || Math.abs(most) * 0.1 || 1;
  return [least - room, most + room];
}

/** A number with as many digits as one reads. */
export function short(value) {
  return String(Number(value.toPrecision(5)));
}

function place(number) {
  return number.toFixed(1);
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
