// Forecasters: `values`, the last numbers of a series -> the next ones; where the model's errors were
// measured, also `lower` and `upper`, for a probability that is chosen.

import { firstRow, reads, rowsCall } from "../api.js";
import { forecastChart, short } from "../chart.js";
import { el, scrollable, table } from "../dom.js";
import { FormError } from "../form_error.js";

const INPUT = "values";
const NUMBERS = ["number", 2];
const MEAN = { forecast: NUMBERS };
const INTERVAL = { ...MEAN, lower: NUMBERS, upper: NUMBERS };
const PROBABILITIES = ["0.5", "0.8", "0.9", "0.95"];
const DEFAULT_PROBABILITY = "0.9";
const PERIOD = 12; // of the example

export const fits = (signatures) => reads(signatures, "serving_default", INPUT, MEAN, NUMBERS);

export function open(signatures) {
  const [, window] = signatures.get("serving_default").inputs.get(INPUT).shape ?? [];
  const measured = signatures.get("interval")?.inputs.has("interval");
  const covers = measured || reads(signatures, "serving_default", INPUT, INTERVAL, NUMBERS);
  const area = el("textarea", { id: "series", rows: 6, spellcheck: "false" });
  area.value = example(window ?? 10 * PERIOD);
  const file = el("input", { type: "file", id: "series-file", accept: ".csv,.tsv,.txt,text/*" });
  const choice = el(
    "select",
    { id: "probability" },
    ...PROBABILITIES.map((of) => el("option", { value: of }, `${100 * of}%`)),
  );
  choice.value = DEFAULT_PROBABILITY;
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    area.value = lastColumn(await file.files[0].text());
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.form.requestSubmit();
  });
  const needs = window ? `at least ${window} of them; the last ${window} count` : "";
  const values = () => numbers(area, window);
  return {
    title: "Forecasting",
    verb: "Forecast",
    startsWithExample: true,
    fields: [
      el("label", { for: "series" }, "Series"),
      area,
      el("p", { class: "note" }, `Numbers in equal steps of time, the oldest first, ${needs}.`),
      el("label", { for: "series-file" }, "Or a .csv file, whose last column is read"),
      file,
      ...(measured ? [el("label", { for: "probability" }, "Interval"), choice] : []),
    ],
    state: () => ({ series: area.value, interval: choice.value }),
    restore: (state) => {
      if (PROBABILITIES.includes(state.interval)) choice.value = state.interval;
      if (state.series !== undefined) area.value = state.series;
      return state.series !== undefined;
    },
    calls: () => {
      const row = `[${values().slice(-(window ?? 0)).join(", ")}]`;
      if (!measured) return [rowsCall("serving_default", row)];
      return [rowsCall("interval", `{"values": ${row}, "interval": ${choice.value}}`)];
    },
    show: ([answer], state) => {
      const row = firstRow(answer);
      // Of a single output, which has no name then.
      const { forecast, lower, upper } = Array.isArray(row) ? { forecast: row } : row;
      const past = split(state.series).map(Number);
      const probability = measured ? state.interval : DEFAULT_PROBABILITY;
      return { summary: told(forecast), content: shown(past, forecast, lower, upper, probability) };
    },
  };
}

function shown(past, forecast, lower, upper, probability) {
  const has = lower !== undefined;
  const near = past.slice(-5 * forecast.length);
  const head = ["Step", "Expected", ...(has ? [`${100 * probability}% interval`] : [])];
  const rows = forecast.map((value, at) => [
    String(at + 1),
    short(value),
    ...(has ? [`${short(lower[at])} to ${short(upper[at])}`] : []),
  ]);
  const note = has
    ? "The thick line is what is expected; with that probability a step lies in the band."
    : "This model gives no intervals: its errors were not measured.";
  return [
    forecastChart(told(forecast), near, forecast, lower ?? null, upper ?? null),
    el("p", { class: "note" }, note),
    scrollable("The next steps", table("The next steps", head, rows)),
  ];
}

function told(forecast) {
  return `The next ${forecast.length} steps go from ${short(forecast[0])} to ${short(forecast.at(-1))}`;
}

/** The numbers of the field, as they were typed; or an error that says what is wrong with them. */
function numbers(area, window) {
  const found = split(area.value);
  const problem = wrong(found, window);
  if (problem) {
    area.setAttribute("aria-invalid", "true");
    throw new FormError(area, problem);
  }
  area.removeAttribute("aria-invalid");
  return found.map((text) => String(Number(text)));
}

function wrong(found, window) {
  if (found.length === 0) return "The series is empty. Paste numbers, or choose a file.";
  const at = found.findIndex((text) => !Number.isFinite(Number(text)));
  if (at >= 0) return `Number ${at + 1} of the series, “${found[at].slice(0, 40)}”, is none.`;
  if (window && found.length < window) {
    return `The model looks at ${window} numbers. The series has ${found.length}.`;
  }
  return null;
}

function split(text) {
  return text.split(/[\s,;]+/).filter(Boolean);
}

/** What stands last in each line of a table; a header, which is no number, is left out. */
function lastColumn(text) {
  const cells = text
    .split(/\r?\n/)
    .filter((line) => line.trim())
    .map((line) => line.split(/[,;\t]/).at(-1).trim());
  const first = Number.isFinite(Number(cells[0])) ? 0 : 1;
  return cells.slice(first).join("\n");
}

/** Months of a made-up shop that grows, and sells most at the end of a year. */
function example(count) {
  return Array.from({ length: count }, (_, at) => {
    const wave = 24 * Math.cos((2 * Math.PI * (at + 1)) / PERIOD);
    const luck = 6 * Math.sin(2.1 * at) + 4 * Math.sin(0.37 * at * at);
    return (120 + 0.4 * at + wave + luck).toFixed(1);
  }).join(" ");
}
