// Taggers: a signature `entities` from `text` to spans with types and scores.

import { firstRow, readsText, textCall } from "../api.js";
import { el, percent, scrollable, table } from "../dom.js";
import { cut } from "../spans.js";
import { textView } from "../text_view.js";

const OUTPUTS = {
  entities: ["string", 2],
  types: ["string", 2],
  starts: ["number", 2],
  ends: ["number", 2],
  scores: ["number", 2],
  counts: ["number", 1],
};
const COLOURS = 6; // in the style sheet
const EXAMPLES = [
  "Ada Lovelace met Charles Babbage in London in 1833.",
  "Peking University and the BBC report on the Olympic Games in Paris.",
  "Off to Reykjavík ✈️🎉 with Siobhán from Acme Ltd!",
];

export const fits = (signatures) => readsText(signatures, "entities", OUTPUTS);

export function open() {
  const colours = new Map(); // type -> class, the same for all texts
  const colour = (type) => {
    if (!colours.has(type)) colours.set(type, `type-${colours.size % COLOURS}`);
    return colours.get(type);
  };
  return textView({
    title: "Named entities",
    verb: "Find names",
    examples: EXAMPLES,
    calls: (text) => [textCall("entities", text)],
    show: ([answer], text) => {
      const found = entities(firstRow(answer));
      const content = [marked(text, found, colour)];
      if (found.length > 0) content.push(legend(found, colour), list(found));
      const summary = `${found.length} ${found.length === 1 ? "name" : "names"} found`;
      return { summary, content: [el("p", { class: "note" }, summary), ...content] };
    },
  });
}

function entities(row) {
  return row.entities.slice(0, row.counts).map((name, index) => ({
    name,
    type: row.types[index],
    start: row.starts[index],
    end: row.ends[index],
    score: row.scores[index],
  }));
}

function marked(text, found, colour) {
  const pieces = cut(text, found).map((piece) => {
    if (piece.span === null) return piece.text;
    const { type } = piece.span;
    return el("mark", { class: colour(type) }, piece.text, el("span", { class: "tag" }, type));
  });
  return el("p", { class: "marked" }, ...pieces);
}

function legend(found, colour) {
  const counts = new Map();
  for (const { type } of found) counts.set(type, (counts.get(type) ?? 0) + 1);
  return el(
    "ul",
    { class: "legend", "aria-label": "Types" },
    ...[...counts].map(([type, count]) =>
      el("li", {}, el("span", { class: `swatch ${colour(type)}` }), `${type} × ${count}`),
    ),
  );
}

function list(found) {
  const rows = found.map(({ name, type, start, end, score }) => [
    name,
    type,
    `${percent(score, 1)}%`,
    `${start}–${end}`,
  ]);
  const head = ["Name", "Type", "Score", "Characters"];
  return scrollable("Names", table("Names in the order of the text", head, rows));
}
