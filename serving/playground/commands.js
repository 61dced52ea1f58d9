// The box with a command that does what the page does, to be copied.

import { modelUrl } from "./api.js";
import { curlCommand } from "./curl.js";
import { announce, el } from "./dom.js";

/** Of one call, in a shell. */
export function command(model, { signature, body }) {
  const text = curlCommand(modelUrl(model, ":predict"), body);
  const label = `Copy the command for ${signature}`;
  const copy = el("button", { type: "button", "aria-label": label }, "Copy");
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
    { class: "command" },
    el("div", { class: "command-head" }, el("span", {}, signature), copy),
    el("pre", {}, text),
  );
}
