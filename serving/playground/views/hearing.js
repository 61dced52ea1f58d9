// Classifiers of sounds: `audio_bytes`, the content of a WAV -> what classifiers of texts give; with
// an `attention` signature also what was heard, and how much each hundredth of a second weighed.

import { fileCall, firstRow, reads } from "../api.js";
import { el } from "../dom.js";
import { LABEL_OUTPUTS, labelAnswer } from "../labels.js";
import { soundField } from "../sound_field.js";

const INPUT = "audio_bytes";
const HEARD = { frames: ["number", 3], weights: ["number", 2], lengths: ["number", 1] };
const STEP = 0.01; // seconds from frame to frame
const WEIGHT = "hsl(205 60% 50%)"; // to be seen on either theme
const HEIGHT = 40; // of the weights below the frames, in rows

const answers = (signatures, name, more = {}) =>
  LABEL_OUTPUTS.some((outputs) => reads(signatures, name, INPUT, { ...outputs, ...more }));

export const fits = (signatures) => answers(signatures, "serving_default");

export function open(signatures) {
  const listens = answers(signatures, "attention", HEARD);
  const field = soundField();
  return {
    title: "Hearing",
    verb: "Listen",
    startsWithExample: true,
    fields: field.elements,
    state: () => ({}), // a recording is too large for an address
    restore: () => false,
    calls: () => {
      const { base64, name } = field.sound();
      return [fileCall(listens ? "attention" : "serving_default", base64, name)];
    },
    show: ([answer]) => {
      const row = firstRow(answer);
      const { summary, content } = labelAnswer(row);
      if (listens && row.lengths > 0) content.push(...heard(row));
      return { summary, content };
    },
  };
}

function heard({ frames, weights, lengths }) {
  const real = frames.slice(0, lengths);
  const shares = weights.slice(0, lengths);
  const weightiest = STEP * shares.indexOf(Math.max(...shares));
  const whole = (STEP * lengths).toFixed(2);
  const told = `${whole} seconds; what came after ${weightiest.toFixed(2)} seconds weighed most`;
  const canvas = el("canvas", { class: "picture spectrogram", role: "img", "aria-label": told });
  paint(canvas, real, shares);
  return [
    el("h3", {}, "What it heard"),
    canvas,
    el("p", { class: "note" }, `${told}. High notes are at the top; the bars are the weights.`),
  ];
}

/** Frames from left to right, the highest band at the top, and a bar for the weight of each. */
function paint(canvas, frames, weights) {
  const bands = frames[0].length;
  canvas.width = frames.length;
  canvas.height = bands + HEIGHT;
  const context = canvas.getContext("2d");
  const values = frames.flat();
  const least = values.reduce((one, other) => Math.min(one, other));
  const span = values.reduce((one, other) => Math.max(one, other)) - least || 1;
  const heaviest = Math.max(...weights) || 1;
  frames.forEach((frame, at) => {
    frame.forEach((value, band) => {
      const share = (value - least) / span;
      context.fillStyle = `hsl(${280 + 120 * share} 80% ${8 + 62 * share}%)`; // purple to yellow
      context.fillRect(at, bands - 1 - band, 1, 1);
    });
    context.fillStyle = WEIGHT;
    const height = (weights[at] / heaviest) * (HEIGHT - 2);
    context.fillRect(at, bands + HEIGHT - height, 1, height);
  });
}
