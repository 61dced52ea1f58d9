// A text whose words are painted by the surprise of a language model: how little it foresaw each.

import { el, percent, rove, scrollable, setWeight, table } from "./dom.js";
import { cut } from "./spans.js";

const MOST_BITS = 16; // from here on the colour is the strongest: one of 65,536 words, all alike
const SMALLEST_PERCENT = 0.001; // below it a share is told as one in so many
const ALTERNATIVES = 5;

/**
 * The text, a line that tells of the word under the pointer or the focus, and a table.
 *
 * A word is `{text, logProbability, known, others}`: whether the model knows it, and what it may
 * have written in its place, `[{text, logProbability}]`, the most probable first; of words that
 * were given that is empty.
 *
 * @returns {{element: Node, give: (text: string, spans: object[]) => void,
 *   write: (word: object) => void}}
 */
export function surpriseText() {
  const line = el("div", { class: "painted", role: "toolbar", "aria-label": "Words of the text" });
  const hint = "Point at a word, or move to it with Tab and the arrow keys.";
  const readout = el("p", { class: "readout", role: "status" }, hint);
  const rows = el("div", {});
  const words = [];
  const details = el(
    "details",
    { ontoggle: () => details.open && fillTable(rows, words) },
    el("summary", {}, "The words as a table"),
    rows,
  );
  rove(line);

  const show = (word, button) => {
    for (const chosen of line.querySelectorAll(".chosen")) chosen.classList.remove("chosen");
    button.classList.add("chosen");
    readout.textContent = sentence(word);
  };
  const append = (word, kind) => {
    const tabindex = words.push(word) === 1 ? 0 : -1;
    const button = el("button", { type: "button", class: `word ${kind}`, tabindex }, word.text);
    setWeight(button, bits(word) / MOST_BITS);
    for (const event of ["pointerenter", "focus", "click"]) {
      button.addEventListener(event, () => show(word, button));
    }
    line.append(button);
    if (details.open) fillTable(rows, words);
  };
  return {
    element: el("div", { class: "attention" }, line, readout, details),
    /** The text that was given, in which words stand at `start` to `end`, in code points. */
    give: (text, spans) => {
      for (const { text: piece, span } of cut(text, spans)) {
        if (span) append({ ...span, text: piece, others: [] }, "given");
        else line.append(piece);
      }
    },
    /** A word that the model wrote. */
    write: (word) => {
      if (line.textContent && !/\s$/u.test(line.textContent)) line.append(" ");
      append(word, "written");
    },
  };
}

function fillTable(place, words) {
  const head = ["Word", "Probability", "Surprise"];
  const rows = words.map((word) => [word.text, share(word), `${bits(word).toFixed(1)} bits`]);
  const name = "Words in the order of the text";
  place.replaceChildren(scrollable(name, table(name, head, rows)));
}

function sentence(word) {
  const { text, known, others } = word;
  const surprise = `${bits(word).toFixed(1)} bits of surprise`;
  if (!known) {
    return `The model does not know “${text}”. Some unknown word had ${share(word)}, ${surprise}.`;
  }
  const told = `“${text}” had ${share(word)}, ${surprise}.`;
  if (others.length === 0) return told;
  const rest = others.slice(0, ALTERNATIVES).map((of) => `${of.text || "the end"} ${share(of)}`);
  return `${told} Else: ${rest.join(", ")}`;
}

function bits({ logProbability }) {
  return Math.max(0, -logProbability / Math.LN2);
}

function share({ logProbability }) {
  const probability = Math.exp(logProbability);
  if (probability >= SMALLEST_PERCENT) return `${percent(probability, 1)}%`;
  return `1 in ${Math.round(1 / probability).toLocaleString("en")}`;
}
