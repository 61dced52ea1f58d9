// What a classifier answers: the label, or the labels, and how probable each class is.

import { el, percent, setWeight, table } from "./dom.js";

const PROBABILITIES = { probabilities: ["number", 2], labels: ["string", 2] };
const ONE = { label: ["string", 1], score: ["number", 1], ...PROBABILITIES };
const SEVERAL = { chosen: ["number", 2], thresholds: ["number", 2], ...PROBABILITIES };
const NONE = "None of the labels";

/** What a classifier of one label gives, and one of several. */
export const LABEL_OUTPUTS = [ONE, SEVERAL];

/** `{summary, content}` of a row of an answer. */
export function labelAnswer(row) {
  const found = chosen(row);
  const content = [...found.map(labelled), bars(row)];
  if (found.length === 0) content.unshift(el("p", { class: "label" }, NONE));
  const names = found.map(({ label, score }) => `${label}, ${percent(score)} percent`);
  return { summary: names.join("; ") || NONE, content };
}

/** The labels that a row gets, the most probable first. */
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
