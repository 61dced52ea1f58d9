// The attention of a translation: two lines of words that light each other up, and the table.

import { el, percent, rove, scrollable, setWeight } from "./dom.js";

const MOST_CELLS = 10_000; // a larger table is slow to draw and of no use to the eye

/**
 * @param {string[]} sources
 * @param {string[]} targets
 * @param {number[][]} weights a row for each target; each adds up to 1
 * @returns {HTMLElement}
 */
export function attentionMap(sources, targets, weights) {
  const readout = el(
    "p",
    { class: "readout", role: "status" },
    "Point at a word, or move to it with Tab and the arrow keys.",
  );
  const sourceLine = chips("Words of the source", sources);
  const targetLine = chips("Words of the translation", targets);
  const isSmall = sources.length * targets.length <= MOST_CELLS;
  const grid = isSmall ? heatTable(sources, targets, weights) : null;

  const light = (side, index) => {
    const looking = side === "target" ? weights[index] : weights.map((row) => row[index]);
    const [own, others] = side === "target" ? [targetLine, sourceLine] : [sourceLine, targetLine];
    own.show(index, null);
    others.show(null, looking);
    grid?.show(side, index);
    const word = side === "target" ? targets[index] : sources[index];
    readout.textContent = sentence(word, side, looking, side === "target" ? sources : targets);
  };
  targetLine.listen((index) => light("target", index));
  sourceLine.listen((index) => light("source", index));
  grid?.listen(light);

  return el(
    "div",
    { class: "attention" },
    el("p", { class: "line-name", "aria-hidden": "true" }, "Source"),
    sourceLine.element,
    el("p", { class: "line-name", "aria-hidden": "true" }, "Translation"),
    targetLine.element,
    readout,
    grid?.element ?? el("p", { class: "note" }, "The table is left out: it would be too large."),
  );
}

/** A line of words. `show(chosen, weights)` marks one, or paints all by weight. */
function chips(name, words) {
  const items = words.map((word) => {
    const number = el("span", { class: "number", "aria-hidden": "true" });
    return { number, button: el("button", { type: "button", class: "chip" }, word, number) };
  });
  const element = el(
    "div",
    { class: "chips", role: "toolbar", "aria-label": name },
    ...items.map(({ button }) => button),
  );
  rove(element);
  return {
    element,
    show(chosen, weights) {
      items.forEach(({ button, number }, index) => {
        button.classList.toggle("chosen", index === chosen);
        setWeight(button, weights?.[index] ?? 0);
        number.textContent = weights ? percent(weights[index]) : "";
        number.classList.toggle("zero", number.textContent === "0");
      });
    },
    listen(call) {
      items.forEach(({ button }, index) => {
        for (const event of ["pointerenter", "focus", "click"]) {
          button.addEventListener(event, () => call(index));
        }
      });
    },
  };
}

/** The heat map. `show(side, index)` marks a row (target) or a column (source). */
function heatTable(sources, targets, weights) {
  const heads = sources.map((word) => el("th", { scope: "col" }, el("span", {}, word)));
  const rows = targets.map((word, row) => {
    const cells = sources.map((_, column) => {
      const share = percent(weights[row][column]);
      const cell = el("td", { class: share === "0" && "zero" }, share);
      setWeight(cell, weights[row][column]);
      return cell;
    });
    const head = el("th", { scope: "row" }, word);
    return { cells, head, element: el("tr", {}, head, ...cells) };
  });
  const element = el(
    "table",
    { class: "heat" },
    el(
      "caption",
      {},
      "Attention in percent. A row is a word of the translation and adds up to 100. " +
        "What starts with “·” goes on with the word before.",
    ),
    el("thead", {}, el("tr", {}, el("td", {}), ...heads)),
    el("tbody", {}, ...rows.map((row) => row.element)),
  );
  return {
    element: scrollable("Table of the attention", element),
    show(side, index) {
      rows.forEach(({ head, cells, element: row }, number) => {
        row.classList.toggle("chosen", side === "target" && number === index);
        head.classList.toggle("chosen", side === "target" && number === index);
        cells.forEach((cell, column) =>
          cell.classList.toggle("chosen", side === "source" && column === index),
        );
      });
      heads.forEach((head, column) =>
        head.classList.toggle("chosen", side === "source" && column === index),
      );
    },
    listen(call) {
      rows.forEach(({ element: row }, index) =>
        row.addEventListener("pointerenter", () => call("target", index)),
      );
      heads.forEach((head, index) =>
        head.addEventListener("pointerenter", () => call("source", index)),
      );
    },
  };
}

/** "läuft ← runs 83%, dog 10%": the weights that round to a percent or more, largest first. */
function sentence(word, side, weights, words) {
  const arrow = side === "target" ? "looked at" : "was looked at by";
  const parts = weights
    .map((weight, index) => ({ weight, text: `${words[index]} ${percent(weight)}%` }))
    .filter(({ weight }) => weight >= 0.005)
    .sort((one, other) => other.weight - one.weight)
    .slice(0, 5)
    .map(({ text }) => text);
  return `“${word}” ${arrow} ${parts.join(", ") || "no word"}`;
}
