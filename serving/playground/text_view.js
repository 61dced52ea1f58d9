// What the views of text models share: one text area, and examples to click.

import { el } from "./dom.js";

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
  const area = el("textarea", { id: "text", rows: 4, required: true, spellcheck: "false" });
  area.value = examples[0];
  const choose = (text) => {
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.form.requestSubmit();
  };
  // Half of a surrogate pair is no text; it would be no UTF-8 either.
  const text = () => area.value.toWellFormed();
  return {
    title,
    verb,
    fields: [
      el("label", { for: "text" }, "Text"),
      area,
      el(
        "ul",
        { class: "examples", "aria-label": "Examples" },
        ...examples.map((example) =>
          el("li", {}, el("button", { type: "button", onclick: () => choose(example) }, example)),
        ),
      ),
    ],
    state: () => ({ text: text() }),
    restore: (state) => {
      if (state.text !== undefined) area.value = state.text;
      return state.text !== undefined;
    },
    calls: () => calls(text()),
    show: (answers, state) => show(answers, state.text),
  };
}
