// Translators: `text` -> `translation`, `score`, and where there are more signatures, the beam's
// other hypotheses and the attention.

import { firstRow, readsText, textCall } from "../api.js";
import { attentionMap } from "../attention.js";
import { el } from "../dom.js";
import { hypotheses, scoreNote } from "../hypotheses.js";
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
        scoreNote(best.score),
      ];
      if (attends && best.target_lengths > 0) content.push(...attention(best));
      if (beam) content.push(hypotheses("Translation", beam.translations, beam.scores));
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

/** Sub-words as people read them: SentencePiece marks with ▁ where a word begins. */
function words(pieces) {
  const marked = pieces.some((piece) => piece.startsWith("▁"));
  return pieces.map((piece) => {
    if (piece === "</s>") return "⟨end⟩";
    if (!marked) return piece;
    return piece.startsWith("▁") ? piece.slice(1) || "▁" : `·${piece}`;
  });
}
