// Any model, whatever its task: a form made of a signature's inputs, and the answer as it comes.

import { columnsCall } from "./api.js";
import { el, scrollable } from "./dom.js";
import { FormError } from "./form_error.js";

const MOST_DEFAULT_VALUES = 4096;
const MOST_SHOWN = 200_000; // characters of an answer
const FLOATS = ["float", "double", "half", "bfloat16"];

export function open(signatures) {
  const callable = [...signatures.keys()];
  const choice = el(
    "select",
    { id: "signature", oninput: () => fill() },
    ...callable.map((name) => el("option", { value: name }, name)),
  );
  const place = el("div", { class: "inputs" });
  let inputs = [];
  const fill = () => {
    const tensors = signatures.get(choice.value)?.inputs ?? new Map();
    inputs = [...tensors].map(([name, tensor], index) => input(name, tensor, `input-${index}`));
    place.replaceChildren(...inputs.map(({ element }) => element));
  };
  fill();
  return {
    title: "Plain form",
    verb: "Predict",
    fields: [el("label", { for: "signature" }, "Signature"), choice, place],
    state: () => ({
      signature: choice.value,
      ...Object.fromEntries(inputs.map(({ name, area }) => [`in.${name}`, area.value])),
    }),
    restore: (state) => {
      if (signatures.has(state.signature)) choice.value = state.signature;
      fill();
      const given = inputs.filter(({ name }) => state[`in.${name}`] !== undefined);
      for (const { name, area } of given) area.value = state[`in.${name}`];
      return given.length > 0;
    },
    calls: () => [
      columnsCall(choice.value, new Map(inputs.map(({ name, json }) => [name, json()]))),
    ],
    show: ([{ text }]) => {
      const cutOff = text.length > MOST_SHOWN;
      const content = [
        scrollable("Answer as JSON", el("pre", {}, cutOff ? text.slice(0, MOST_SHOWN) : text)),
      ];
      if (cutOff) {
        const size = `Of ${text.length} characters, the first ${MOST_SHOWN}.`;
        content.push(el("p", { class: "note" }, size));
      }
      return { summary: "The model has answered", content };
    },
  };
}

/**
 * A field for one input: plain text for a string of each row, else JSON. Where the first dimension
 * is of any size it is taken for the batch, and the field holds its only row.
 */
function input(name, { dtype, shape }, id) {
  const isBatch = shape !== null && shape.length > 0 && shape[0] === null;
  const rest = isBatch ? shape.slice(1) : shape;
  // What TensorFlow Serving's convention calls bytes is no text.
  const isBytes = dtype === "string" && name.endsWith("_bytes");
  const isText = dtype === "string" && rest?.length === 0 && !isBytes;
  const what = `${id}-what`;
  const area = el("textarea", { id, rows: 2, spellcheck: "false", "aria-describedby": what });
  area.value = isText ? "Some text" : sample(isBytes ? "bytes" : dtype, rest);
  const element = el(
    "div",
    { class: "field" },
    el("label", { for: id }, name),
    area,
    el("p", { class: "note", id: what }, description(dtype, shape, isBatch, isText, isBytes)),
  );
  const json = () => {
    area.removeAttribute("aria-invalid");
    if (isText) {
      const text = JSON.stringify(area.value.toWellFormed());
      return isBatch ? `[${text}]` : text;
    }
    // The numbers travel as they were typed: JavaScript would round large ones.
    const text = area.value.trim();
    if (text === "") {
      area.setAttribute("aria-invalid", "true");
      throw new FormError(area, `The input “${name}” is empty. ${wanted(rest)}`);
    }
    try {
      JSON.parse(text);
    } catch (error) {
      area.setAttribute("aria-invalid", "true");
      throw new FormError(area, `The input “${name}” is not JSON: ${error.message}`);
    }
    return isBatch ? `[${text}]` : text;
  };
  return { name, area, element, json };
}

/** JSON of a tensor of this shape; one element where a dimension can have any size. */
function sample(dtype, shape) {
  const zero = FLOATS.includes(dtype) ? "0.0" : "0";
  const value = { string: '"Some text"', bytes: '{"b64": ""}', bool: "false" }[dtype] ?? zero;
  const sizes = (shape ?? [null]).map((size) => size ?? 1);
  if (sizes.reduce((product, size) => product * size, 1) > MOST_DEFAULT_VALUES) return "";
  return sizes.reduceRight((inner, size) => `[${Array(size).fill(inner).join(", ")}]`, value);
}

/** What to put into an empty field; those of large tensors are left empty. */
function wanted(shape) {
  if (!shape?.length) return "It takes JSON.";
  const sizes = `[${shape.map((size) => size ?? "any").join(", ")}]`;
  const numpy = `numpy.zeros([${shape.map((size) => size ?? 1).join(", ")}]).tolist()`;
  return `It takes JSON of shape ${sizes}, lists within lists; in Python such as ${numpy}.`;
}

function description(dtype, shape, isBatch, isText, isBytes) {
  const sizes = shape?.map((size, axis) => size ?? (axis === 0 ? "batch" : "any"));
  const what = `${dtype}, shape ${sizes ? `[${sizes.join(", ")}]` : "any"}. `;
  const form = isText ? "Plain text" : isBytes ? 'JSON, bytes as {"b64": "Base64"}' : "JSON";
  return what + form + (isBatch ? ", one row of the batch." : ", the whole tensor.");
}
