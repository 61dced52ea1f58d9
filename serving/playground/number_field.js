// A field for one number of a form.

import { el } from "./dom.js";
import { FormError } from "./form_error.js";

/**
 * @param {string} name in the address
 * @param {string} label
 * @param {number} value at first
 * @param {{least?: number, most?: number, whole?: boolean}} [limits]
 * @returns {{name: string, element: Node, text: () => string, set: (text: string) => void,
 *   value: () => number}} `value` throws a FormError if there is no such number
 */
export function numberField(name, label, value, limits = {}) {
  const { least = 0, most = Infinity, whole = false } = limits;
  const mode = whole ? "numeric" : "decimal";
  const input = el("input", { type: "text", id: name, inputmode: mode, autocomplete: "off" });
  input.value = String(value);
  const wanted = most === Infinity ? `at least ${least}` : `from ${least} to ${most}`;
  return {
    name,
    element: el("div", { class: "field" }, el("label", { for: name }, label), input),
    text: () => input.value,
    set: (text) => (input.value = text),
    value: () => {
      const number = input.value.trim() === "" ? NaN : Number(input.value);
      const fits = Number.isFinite(number) && number >= least && number <= most;
      if (fits && (!whole || Number.isInteger(number))) {
        input.removeAttribute("aria-invalid");
        return number;
      }
      input.setAttribute("aria-invalid", "true");
      const kind = whole ? "whole number" : "number";
      throw new FormError(input, `“${label}” must be a ${kind} ${wanted}.`);
    },
  };
}
