// What a model wrote, by its score: for views of models that write text.

import { el, scrollable, table } from "./dom.js";

/** The line below the best text that says how sure the model was. */
export function scoreNote(value) {
  return el(
    "p",
    { class: "note" },
    `Score ${score(value)}: log-probability by length, nearer to 0 is surer`,
  );
}

/** The texts of a beam search with their scores, best first; `kind` heads the column of texts. */
export function hypotheses(kind, texts, scores) {
  const rows = texts.map((text, rank) => [
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
      table("Hypotheses, best first", ["Rank", kind, "Score"], rows),
    ),
  );
}

function score(value) {
  return value.toFixed(3).replace("-", "−");
}
