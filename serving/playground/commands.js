// Boxes with what does the same as the page, to be copied.

import { modelUrl } from "./api.js";
import { announce, el, withEdges } from "./dom.js";
import { curlCommand, pythonScript, quote, uploadCommand } from "./snippets.js";

/**
 * The commands of a shell, one for each call, and a script for all of them.
 *
 * @param {string} model
 * @param {object[]} calls
 * @param {(url: string) => {shell: string, python: string}} [programs] of a view whose calls do not
 *   all stand beforehand: a further program of a shell, with jq, and the script
 */
export function commandBoxes(model, calls, programs) {
  const url = modelUrl(model, ":predict");
  const curls = calls.map((call) => {
    const { signature, body, file } = call;
    const command = file === undefined ? curlCommand(url, body) : uploadCommand(url, call);
    const start = command.slice(0, command.lastIndexOf(quote(url)));
    // The address stays in one piece, also where the line is too long.
    const shown = [start, el("span", { class: "url" }, quote(url))];
    return box("command", `curl · ${signature}`, `the command for ${signature}`, command, shown);
  });
  const { shell, python } = programs?.(url) ?? { python: pythonScript(url, calls) };
  const scripts = [box("script", "Python", "the script in Python", python, [python])];
  const inShell = ["script", "curl and jq", "the program of a shell", shell, [shell]];
  if (shell) scripts.unshift(box(...inShell));
  return [...curls, ...scripts];
}

function box(kind, title, what, text, shown) {
  const copy = el("button", { type: "button", "aria-label": `Copy ${what}` }, "Copy");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Select and copy by hand"; // no clipboard without HTTPS or leave
    }
    announce(copy.textContent);
  });
  return el(
    "div",
    { class: `box ${kind}` },
    el("div", { class: "box-head" }, el("span", {}, title), copy),
    withEdges(el("pre", { tabindex: 0, role: "group", "aria-label": title }, ...shown)),
  );
}
