// Classifiers of texts: `text` -> `label`, `score`, `probabilities`, and with an `attention`
// signature, how much each word weighed.

import { firstRow, has, predict, textCall } from "../api.js";
import { el, percent, scrollable, setWeight, table } from "../dom.js";
import { cut } from "../spans.js";
import { textView } from "./text_view.js";

const ANSWER = ["label", "score", "probabilities"];
const WEIGHTS = ["tokens", "starts", "ends", "weights", "lengths"];
const EXAMPLES = [
  "A warm and funny film that I would gladly see again.",
  "The plot makes no sense and the jokes fall flat.",
  "Great actors, beautiful pictures, and yet I was bored 😴 for two hours.",
];

export const fits = (signatures) => has(signatures, "serving_default", ["text"], ANSWER);

export function open(signatures, model) {
  const attends = has(signatures, "attention", ["text"], [...ANSWER, ...WEIGHTS]);
  const signature = attends ? "attention" : "serving_default";
  const names = new Map(); // index of a class -> its name, as far as answers have told
  learnNames(model, names);
  return textView({
    title: "Classification",
    verb: "Classify",
    examples: EXAMPLES,
    calls: (text) => [textCall(signature, text)],
    show: ([answer], text) => {
      const row = firstRow(answer);
      note(row, names);
      const share = `${percent(row.score)}%`;
      const content = [
        el("p", { class: "label" }, row.label, el("span", { class: "share" }, share)),
        bars(row.probabilities, names),
      ];
      if (attends && row.lengths > 0) content.push(...words(row, text));
      return { summary: `${row.label}, ${percent(row.score)} percent`, content };
    },
  });
}

/** No signature names all classes, but each answer names one: the examples' answers may do. */
async function learnNames(model, names) {
  for (const example of EXAMPLES) {
    try {
      note(firstRow(await predict(model, textCall("serving_default", example))), names);
    } catch {
      return; // the user's own call will say what is wrong
    }
  }
}

function note({ label, probabilities }, names) {
  names.set(probabilities.indexOf(Math.max(...probabilities)), label);
}

function bars(probabilities, names) {
  const rows = probabilities.map((probability, index) => {
    const bar = el("span", { class: "bar", "aria-hidden": "true" });
    setWeight(bar, probability);
    const measure = el("span", { class: "measure" }, `${(100 * probability).toFixed(1)}%`, bar);
    return [nameOf(index, probabilities.length, names), measure];
  });
  return table("Probability of each class", ["Class", "Probability"], rows);
}

/** Of two classes, one name says what the other is not. */
function nameOf(index, classes, names) {
  const other = classes === 2 ? names.get(1 - index) : undefined;
  return names.get(index) ?? (other === undefined ? `class ${index}` : `not ${other}`);
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
    if (piece.span === null) return piece.text;
    const { weight } = piece.span;
    const word = el("span", { class: "word", title: `${(100 * weight).toFixed(1)}%` }, piece.text);
    setWeight(word, weight / heaviest);
    return word;
  });
  const rows = found
    .sort((one, other) => other.weight - one.weight)
    .map(({ token, weight }) => [token, `${(100 * weight).toFixed(1)}%`]);
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
