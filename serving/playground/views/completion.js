// Language models: `text` -> `score`, how probable each word was, and `start` and `step`, by which
// the page goes on writing. The server keeps nothing: the state is here, and goes with each call.

import { firstRow, readsText, rowsCall, takes, textCall } from "../api.js";
import { completionPrograms } from "../completion_programs.js";
import { el } from "../dom.js";
import { draw } from "../drawing.js";
import { numberField } from "../number_field.js";
import { surpriseText } from "../surprise.js";
import { textField } from "../text_view.js";

const BEST = { completion: ["string", 1], score: ["number", 1] };
const SCORE = {
  perplexity: ["number", 1],
  starts: ["number", 2],
  ends: ["number", 2],
  log_probabilities: ["number", 2],
  known: ["number", 2],
  lengths: ["number", 1],
};
const STATE = { ids: ["number", 1], state: ["number", 2] };
const LIKELY = {
  likely_ids: ["number", 2],
  likely_tokens: ["string", 2],
  likely_log_probabilities: ["number", 2],
};
const MOST_WORDS = 500;
const MOST_SEED = 999_999;
const EXAMPLES = [
  "the company said",
  "a spokesman for the bank said the stock market",
  "shares of the company fell 3.5 because investors",
];

export const fits = (signatures) =>
  readsText(signatures, "serving_default", BEST) &&
  readsText(signatures, "score", SCORE) &&
  readsText(signatures, "start", { ...STATE, goes_on: ["number", 1] }) &&
  takes(signatures, "step", STATE, { ...LIKELY, state: STATE.state });

export function open(signatures) {
  const [, shown] = signatures.get("step").outputs.get("likely_ids").shape ?? [];
  const field = textField(EXAMPLES);
  const words = numberField("words", "Words", 20, { most: MOST_WORDS, whole: true });
  const temperature = numberField("temperature", "Temperature", 0.8);
  const topK = numberField("top_k", "Of the likeliest", shown ?? 10, {
    least: 1,
    most: shown ?? Number.MAX_SAFE_INTEGER,
    whole: true,
  });
  const seed = numberField("seed", "Seed", 1, { most: MOST_SEED, whole: true });
  const settings = [words, temperature, topK, seed];
  const state = () => ({
    text: field.text(),
    ...Object.fromEntries(settings.map(({ name, text }) => [name, text()])),
  });
  const checked = () => {
    for (const { value } of settings) value(); // throws where there is no number
    return optionsOf(state());
  };
  let lastSeed = 0; // of the answer
  const other = el("button", { type: "button" }, "Write other words");
  other.addEventListener("click", () => {
    seed.set(String((lastSeed + 1) % (MOST_SEED + 1)));
    field.area.dispatchEvent(new Event("input", { bubbles: true })); // the commands follow
    field.area.form.requestSubmit();
  });
  return {
    title: "Completion",
    verb: "Write",
    startsWithExample: true,
    fields: [
      ...field.elements,
      el("div", { class: "settings" }, ...settings.map(({ element }) => element)),
      el(
        "p",
        { class: "note" },
        "At temperature 0 the most probable word comes each time; higher ones dare more. Another " +
          "seed draws other words. No words: the text alone is painted.",
      ),
    ],
    state,
    restore: (wanted) => {
      for (const { name, set } of settings) if (wanted[name] !== undefined) set(wanted[name]);
      return field.restore(wanted);
    },
    calls: () => {
      checked();
      return ["start", "score"].map((name) => textCall(name, field.text()));
    },
    programs: (url) => completionPrograms(url, field.text(), checked()),
    show: (answers, sent) => {
      const [begun, scored] = answers.map(firstRow);
      const drawing = optionsOf(sent);
      const painted = surpriseText();
      painted.give(sent.text, scoredWords(scored));
      const content = [painted.element, el("p", { class: "note" }, NOTE), perplexity(scored)];
      const summary = `Perplexity ${scored.perplexity.toFixed(1)}`;
      if (drawing.words === 0) return { summary, content };
      if (!begun.goes_on) return { summary: NOTHING, content: [...content, el("p", {}, NOTHING)] };
      lastSeed = drawing.seed;
      return {
        summary,
        content: drawing.temperature ? [...content, el("div", {}, other)] : content,
        goOn: (send) => write(begun, drawing, painted.write, send),
      };
    },
  };
}

const NOTE =
  "The stronger a word's colour and line, the less the model foresaw it. What it wrote is bold; " +
  "it never writes an unknown word, and its shares leave those out.";
const NOTHING = "The text has no word that the model could go on from.";

function scoredWords(row) {
  return row.log_probabilities.slice(0, row.lengths).map((logProbability, at) => ({
    start: row.starts[at],
    end: row.ends[at],
    known: row.known[at],
    logProbability,
  }));
}

function perplexity({ perplexity, lengths }) {
  const told = `Perplexity of the given text: ${perplexity.toFixed(1)} (${counted(lengths)})`;
  return el("p", { class: "note" }, told);
}

/** What is in a form, which may have changed since it was sent. */
function optionsOf({ words, temperature, top_k: topK, seed }) {
  return {
    words: Number(words),
    temperature: Number(temperature),
    topK: Number(topK),
    seed: Number(seed),
  };
}

/** Types word by word until the text ends or there are enough. */
async function write({ ids, state }, drawing, type, send) {
  const written = [];
  let ended = false;
  while (!ended && written.length < drawing.words) {
    const answer = firstRow(await send(rowsCall("step", JSON.stringify({ ids, state }))));
    const likely = answer.likely_tokens.map((text, at) => ({
      text,
      logProbability: answer.likely_log_probabilities[at],
    }));
    const at = draw(answer.likely_log_probabilities, drawing, written.length);
    ended = likely[at].text === "";
    if (ended) break;
    type({ ...likely[at], known: true, others: likely.filter((_, place) => place !== at) });
    written.push(likely[at].text);
    [ids, state] = [answer.likely_ids[at], answer.state];
  }
  const end = ended ? ", then the text ends," : "";
  const told = `Wrote ${counted(written.length)}${end}`;
  return { summary: `Wrote: ${written.join(" ") || "nothing"}`, told };
}

function counted(words) {
  return words === 1 ? "1 word" : `${words} words`;
}
