// Captioners: `image_bytes`, the content of an image file -> `caption`, `score`, and where there are
// more signatures, the beam's other captions and a map over the picture for each word.

import { fileCall, firstRow, reads } from "../api.js";
import { el, percent, rove } from "../dom.js";
import { hypotheses, scoreNote } from "../hypotheses.js";
import { pictureField } from "../picture_field.js";

const INPUT = "image_bytes";
const BEST = { caption: ["string", 1], score: ["number", 1] };
const ATTENTION = { words: ["string", 2], maps: ["number", 4], lengths: ["number", 1] };
const BEAM = { captions: ["string", 2], scores: ["number", 2] };
const SHADE = 0.78; // over what the model did not look at

export const fits = (signatures) => reads(signatures, "serving_default", INPUT, BEST);

export function open(signatures) {
  const attends = reads(signatures, "attention", INPUT, { ...BEST, ...ATTENTION });
  const searches = reads(signatures, "beam", INPUT, BEAM);
  const names = [attends ? "attention" : "serving_default", ...(searches ? ["beam"] : [])];
  const field = pictureField();
  return {
    title: "Captioning",
    verb: "Caption",
    startsWithExample: true,
    fields: field.elements,
    state: () => ({}), // a picture is too large for an address
    restore: () => false,
    calls: () => {
      const picture = field.picture();
      return names.map((name) => ({ ...fileCall(name, picture.base64, picture.name), picture }));
    },
    show: (answers, _, [{ picture }]) => {
      const [best, beam] = answers.map(firstRow);
      const content = [
        el("p", { class: "translation" }, best.caption || "(empty)"),
        scoreNote(best.score),
      ];
      if (attends && best.lengths > 0) content.push(...attention(best, picture));
      if (beam) content.push(hypotheses("Caption", beam.captions, beam.scores));
      return { summary: `Caption: ${best.caption}`, content };
    },
  };
}

function attention(best, picture) {
  const words = best.words.slice(0, best.lengths);
  const readout = el(
    "p",
    { class: "readout", role: "status" },
    "Point at a word, or move to it with Tab and the arrow keys.",
  );
  const canvas = el("canvas", { class: "picture", role: "img", "aria-label": best.caption });
  const show = (index) => {
    paint(canvas, picture.bitmap, index === null ? null : best.maps[index]);
    buttons.forEach((button, at) => button.classList.toggle("chosen", at === index));
    if (index !== null) readout.textContent = `“${words[index]}”: ${place(best.maps[index])}`;
  };
  const buttons = words.map((word, index) => {
    const button = el("button", { type: "button", class: "chip" }, word);
    for (const event of ["pointerenter", "focus", "click"]) {
      button.addEventListener(event, () => show(index));
    }
    return button;
  });
  const line = el(
    "div",
    { class: "chips", role: "toolbar", "aria-label": "Words of the caption" },
    ...buttons,
  );
  rove(line);
  show(null);
  return [el("h3", {}, "Where it looked"), el("div", { class: "attention" }, line, readout, canvas)];
}

/** The picture, and over it a shade that is thin where the map is large. */
function paint(canvas, bitmap, map) {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  if (map === null) return;
  const rows = map.length;
  const columns = map[0].length;
  const largest = Math.max(...map.flat(), Number.MIN_VALUE);
  const pixels = new ImageData(columns, rows);
  map.flat().forEach((weight, at) => {
    pixels.data[4 * at + 3] = Math.round(255 * SHADE * (1 - weight / largest));
  });
  const small = new OffscreenCanvas(columns, rows);
  small.getContext("2d").putImageData(pixels, 0, 0);
  // Enlarged smoothly: what lies between two places is between them in weight.
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, bitmap.width, bitmap.height);
}

/** "most at the upper left, 34% there": for those who do not see the picture. */
function place(map) {
  const rows = map.length;
  const columns = map[0].length;
  const flat = map.flat();
  const at = flat.indexOf(Math.max(...flat));
  const down = third(Math.floor(at / columns), rows, ["upper", "", "lower"]);
  const right = third(at % columns, columns, ["left", "", "right"]);
  const where = [down, right].filter(Boolean).join(" ") || "middle";
  return `it looked most at the ${where}, ${percent(flat[at])}% at one of ${flat.length} places`;
}

function third(index, count, names) {
  return names[Math.min(2, Math.floor((3 * (index + 0.5)) / count))];
}
