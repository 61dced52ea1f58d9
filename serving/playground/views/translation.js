// Translators: `text` -> `translation`, `score`, and where there are more signatures, the beam's
// other hypotheses and the attention.

import { firstRow, readsText, textCall } from "../api.js";
import { attentionMap } from "../attention.js";
import { el, scrollable, table } from "../dom.js";
import { textView } from "../text_view.js";

const BEST = { translation: ["string", 1], score: ["number", 1] };
const ATTENTION = {
  source_tokens: ["string", 2],
  target_tokens: ["string", 2],
  source_lengths: ["number", 1],
  target_lengths: ["number", 1],
  attention: ["number", 3],
};
const BEAM = { translations: ["string", 2], scores: ["number", 2] };
const EXAMPLES = [
  "A dog runs through the snow.",
  "Two children are playing football in the park.",
  "A woman in a red coat reads a book on the train.",
  "An old man is selling apples at the market.",
];

export const fits = (signatures) => readsText(signatures, "serving_default", BEST);

export function open(signatures) {
  const attends = readsText(signatures, "attention", { ...BEST, ...ATTENTION });
  const searches = readsText(signatures, "beam", BEAM);
  const names = [attends ? "attention" : "serving_default", ...(searches ? ["beam"] : [])];
  return textView({
    title: "Translation",
    verb: "Translate",
    examples: EXAMPLES,
    calls: (text) => names.map((name) => textCall(name, text)),
    show: (answers) => {
      const [best, beam] = answers.map(firstRow);
      const content = [
        el("p", { class: "translation" }, best.translation || "(empty)"),
        el(
          "p",
          { class: "note" },
          `Score ${score(best.score)}: log-probability by length, nearer to 0 is surer`,
        ),
      ];
      if (attends && best.target_lengths > 0) content.push(...attention(best));
      if (beam) content.push(hypotheses(beam));
      return { summary: `Translation: ${best.translation}`, content };
    },
  });
}

function attention(best) {
  const sources = words(best.source_tokens.slice(0, best.source_lengths));
  const targets = words(best.target_tokens.slice(0, best.target_lengths));
  const weights = targets.map((_, row) => best.attention[row].slice(0, sources.length));
  return [el("h3", {}, "What it looked at"), attentionMap(sources, targets, weights)];
}

function hypotheses({ translations, scores }) {
  const rows = translations.map((text, rank) => [
    String(rank + 1),
    text || "(empty)",
    score(scores[rank]),
  ]);
  return el(
    "div",
    {},
    el("h3", {}, "Best of the beam"),
    scrollable(
      "Hypotheses of the beam",
      table("Hypotheses, best first", ["Rank", "Translation", "Score"], rows),
    ),
  );
}

/** Sub-words as people read them: SentencePiece marks with ▁ where a word begins. */
function words(pieces) {
  const marked = pieces.some((piece) => piece.startsWith("▁"));
  return pieces.map((piece) => {
    if (piece === "</s>") return "⟨end⟩";
    if (!marked) return piece;
    return piece.startsWith("▁") ? piece.slice(1) || "▁" : `·${piece}`;
  });
}

function score(value) {
  return value.toFixed(3).replace("-", "−");
}
