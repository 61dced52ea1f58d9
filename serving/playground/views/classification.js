// Classifiers of texts: `text` -> `label`, `score`, `probabilities` and the `labels` these are of;
// or, where a text may have several labels, whether each is `chosen`, in place of `label` and `score`.
// With an `attention` signature, also how much each word weighed.

import { firstRow, readsText, textCall } from "../api.js";
import { el, percent, scrollable, setWeight, table } from "../dom.js";
import { LABEL_OUTPUTS, labelAnswer } from "../labels.js";
import { cut } from "../spans.js";
import { textView } from "../text_view.js";

const WEIGHTS = {
  tokens: ["string", 2],
  starts: ["number", 2],
  ends: ["number", 2],
  weights: ["number", 2],
  lengths: ["number", 1],
};
const ZERO = "0.0"; // as `percent` writes what is not worth a mark
const EXAMPLES = [
  "A warm and funny film that I would gladly see again.",
  "The plot makes no sense and the jokes fall flat.",
  "Great actors, beautiful pictures, and yet I was bored 😴 for two hours.",
];

const answers = (signatures, name, more = {}) =>
  LABEL_OUTPUTS.some((outputs) => readsText(signatures, name, { ...outputs, ...more }));

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
      const { summary, content } = labelAnswer(row);
      if (attends && row.lengths > 0) content.push(...words(row, text));
      return { summary, content };
    },
  });
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
