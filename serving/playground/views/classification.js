// Classifiers of texts: `text` -> `label`, `score`, `probabilities` and the `labels` these are of;
// or, where a text may have several labels, whether each is `chosen`, in place of `label` and `score`.
// With an `attention` signature, also how much each word weighed.

import { firstRow, readsText, textCall } from "../api.js";
import { el, percent, scrollable, setWeight, table } from "../dom.js";
import { cut } from "../spans.js";
import { textView } from "../text_view.js";

const PROBABILITIES = { probabilities: ["number", 2], labels: ["string", 2] };
const ONE = { label: ["string", 1], score: ["number", 1], ...PROBABILITIES };
const SEVERAL = { chosen: ["number", 2], thresholds: ["number", 2], ...PROBABILITIES };
const WEIGHTS = {
  tokens: ["string", 2],
  starts: ["number", 2],
  ends: ["number", 2],
  weights: ["number", 2],
  lengths: ["number", 1],
};
const ZERO = "0.0"; // as `percent` writes what is not worth a mark
const NONE = "None of the labels";
const EXAMPLES = [
  "A warm and funny film that I would gladly see again.",
  "The plot makes no sense and the jokes fall flat.",
  "Great actors, beautiful pictures, and yet I was bored 😴 for two hours.",
];

const answers = (signatures, name, more = {}) =>
  [ONE, SEVERAL].some((outputs) => readsText(signatures, name, { ...outputs, ...more }));

export const fits = (signatures) => answers(signatures, "serving_default");

export function open(signatures) {
  const attends = answers(signatures, "attention", WEIGHTS);
  const signature = attends ? "attention" : "serving_default";
  return textView({
    title: "Classification",
    verb: "Classify",
    examples: EXAMPLES,
    calls: (text) => [textCall(signature, text)],
    show: ([answer], text) => {
      const row = firstRow(answer);
      const found = chosen(row);
      const content = [...found.map(labelled), bars(row)];
      if (found.length === 0) content.unshift(el("p", { class: "label" }, NONE));
      if (attends && row.lengths > 0) content.push(...words(row, text));
      const names = found.map(({ label, score }) => `${label}, ${percent(score)} percent`);
      return { summary: names.join("; ") || NONE, content };
    },
  });
}

/** The labels that the text gets, the most probable first. */
function chosen(row) {
  if (row.chosen === undefined) return [row];
  return row.labels
    .map((label, index) => ({ label, score: row.probabilities[index], is: row.chosen[index] }))
    .filter(({ is }) => is)
    .sort((one, other) => other.score - one.score);
}

function labelled({ label, score }) {
  return el("p", { class: "label" }, label, el("span", { class: "share" }, `${percent(score)}%`));
}

function bars({ probabilities, labels, thresholds }) {
  const rows = probabilities.map((probability, index) => {
    const bar = el("span", { class: "bar", "aria-hidden": "true" });
    setWeight(bar, probability);
    const measure = el("span", { class: "measure" }, `${percent(probability, 1)}%`, bar);
    if (thresholds === undefined) return [labels[index], measure];
    return [labels[index], measure, `${percent(thresholds[index], 1)}%`];
  });
  if (thresholds === undefined) {
    return table("Probability of each class", ["Class", "Probability"], rows);
  }
  const head = ["Label", "Probability", "Chosen from"];
  return table("Probability of each label, each by itself", head, rows);
}

function words(row, text) {
  const found = row.weights.slice(0, row.lengths).map((weight, index) => ({
    start: row.starts[index],
    end: row.ends[index],
    token: row.tokens[index],
    weight,
  }));
  const heaviest = Math.max(...found.map(({ weight }) => weight)) || 1;
  const painted = cut(text, found).map((piece) => {
    const share = piece.span && percent(piece.span.weight, 1);
    if (share === null || share === ZERO) return piece.text;
    const { weight } = piece.span;
    const word = el("span", { class: "word", title: `${share}%` }, piece.text);
    setWeight(word, weight / heaviest);
    return word;
  });
  const rows = found
    .sort((one, other) => other.weight - one.weight)
    .map(({ token, weight }) => [token, `${percent(weight, 1)}%`]);
  return [
    el("h3", {}, "What it weighed"),
    el("p", { class: "painted" }, ...painted),
    el("p", { class: "note" }, "The stronger a word's colour and line, the more it weighed."),
    el(
      "details",
      {},
      el("summary", {}, "The weights as a table"),
      scrollable("Weights of the words", table("Words, heaviest first", ["Word", "Weight"], rows)),
    ),
  ];
}
