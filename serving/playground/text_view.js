// What the views of text models share: one text area, and examples to click.

import { firstRow } from "./api.js";
import { el } from "./dom.js";
import { FormError } from "./form_error.js";

// Nothing but blanks and characters that nobody sees.
const BLANK = /^[\s\p{Cc}\p{Cf}]*$/u;

const DOUBT = "Low confidence";

/**
 * A view whose form is one text.
 *
 * @param {object} parts
 * @param {string} parts.title what the model does
 * @param {string} parts.verb of the button
 * @param {string[]} parts.examples
 * @param {(text: string) => object[]} parts.calls to make for a text
 * @param {(answers: object[], text: string) => {summary: string, content: Node[]}} parts.show
 */
export function textView({ title, verb, examples, calls, show }) {
  const { elements, area, text, restore } = textField(examples);
  const textToSend = () => {
    if (BLANK.test(area.value)) {
      area.setAttribute("aria-invalid", "true");
      throw new FormError(area, "The text is blank. Write something, or choose an example.");
    }
    area.removeAttribute("aria-invalid");
    return text();
  };
  return {
    title,
    verb,
    startsWithExample: true,
    fields: elements,
    state: () => ({ text: text() }),
    restore,
    calls: () => calls(textToSend()),
    show: (answers, state) => {
      const { summary, content } = show(answers, state.text);
      if (!answers.map(firstRow).some(isDoubtful)) return { summary, content };
      return { summary: `${summary}. ${DOUBT}`, content: [doubt(), ...content] };
    },
  };
}

/**
 * A text area with examples below it, of which the first is in it.
 *
 * @returns {{elements: Node[], area: Element, text: () => string, restore: (state) => boolean}}
 */
export function textField(examples) {
  const area = el("textarea", { id: "text", rows: 4, spellcheck: "false" });
  area.value = examples[0];
  const choose = (text) => {
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.form.requestSubmit();
  };
  const elements = [
    el("label", { for: "text" }, "Text"),
    area,
    el(
      "ul",
      { class: "examples", "aria-label": "Examples" },
      ...examples.map((example) =>
        el("li", {}, el("button", { type: "button", onclick: () => choose(example) }, example)),
      ),
    ),
  ];
  return {
    elements,
    area,
    // Half of a surrogate pair is no text; it would be no UTF-8 either.
    text: () => area.value.toWellFormed(),
    restore: (state) => {
      if (state.text !== undefined) area.value = state.text;
      return state.text !== undefined;
    },
  };
}

/** Some models say themselves when an answer is not to be relied on. */
function isDoubtful(row) {
  return row?.low_confidence === true;
}

function doubt() {
  const what = ": the model itself takes this answer for doubtful. Do not rely on it unchecked.";
  return el("p", { class: "doubt" }, el("strong", {}, DOUBT), what);
}
