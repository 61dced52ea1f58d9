// One model on the page: its form, its calls, its answers. What differs from task to task is in
// `views/`; what follows a submit is the same for all. A view says itself which signatures it fits;
// what fits none of them gets the plain form.

import { ServerError, getSignatures, getVersions, modelUrl, predict } from "./api.js";
import { curlCommand } from "./curl.js";
import { announce, el } from "./dom.js";
import * as generic from "./generic.js";

const files = JSON.parse(document.getElementById("view-files").textContent);
const views = await Promise.all(files.map((file) => import(`./views/${file}`)));
const RETRY_MS = 2000;

/**
 * Fills `host` with a model.
 *
 * @param {HTMLElement} host
 * @param {string} model
 * @param {object} state what to fill in, as `onState` gave it
 * @param {(state: object) => void} onState told what was sent
 * @param {AbortSignal} closed another model takes the host
 */
export async function openWorkbench(host, model, state, onState, closed) {
  const about = el("p", { class: "note" }, "Reading the model's signatures …");
  const problem = el("div", { class: "problem", role: "alert" });
  host.replaceChildren(el("h2", {}, model), about, problem);
  const found = await signaturesWhenLoaded(model, problem, about, closed);
  if (!found) return;
  const { version, signatures } = found;
  const view = (views.find(({ fits }) => fits(signatures)) ?? generic).open(signatures);
  about.textContent =
    `${view.title} · version ${version} · signatures ` + [...signatures.keys()].join(", ");
  announce(`${model}: ${view.title}`);
  showView(view, { host, model, state, problem, onState, closed });
}

/** Form, answer and commands; a state that is whole is sent at once. */
function showView(view, { host, model, state, problem, onState, closed }) {
  const progress = el("p", { class: "note" });
  const answer = el("section", { class: "answer", "aria-label": "Answer" });
  const commands = el("div", {});
  let running = new AbortController();

  const showCommands = () => {
    try {
      commands.replaceChildren(...view.calls().map((call) => command(model, call)));
    } catch (error) {
      if (!(error instanceof generic.FormError)) throw error;
      commands.replaceChildren(el("p", { class: "note" }, error.message));
    }
  };

  const run = async () => {
    running.abort(); // the newest call alone is shown
    running = new AbortController();
    const signal = AbortSignal.any([running.signal, closed]);
    problem.replaceChildren();
    try {
      const calls = view.calls();
      const sent = view.state(); // the form may have changed when the answer comes
      onState(sent);
      progress.textContent = "Waiting for the server …";
      answer.setAttribute("aria-busy", "true");
      const answers = await Promise.all(calls.map((call) => predict(model, call, signal)));
      const { summary, content } = view.show(answers, sent);
      answer.replaceChildren(...content);
      progress.textContent = `Answered in ${Math.max(...answers.map(milliseconds))} ms`;
      announce(summary);
    } catch (error) {
      if (signal.aborted) return;
      answer.replaceChildren();
      progress.textContent = "";
      problem.replaceChildren(...explain(error));
      error.field?.focus();
    }
    answer.removeAttribute("aria-busy");
  };

  const form = formOf(view, showCommands, run);
  host.append(
    el(
      "div",
      { class: "columns" },
      form,
      el("div", { class: "results" }, problem, progress, answer),
      el("section", { class: "calls" }, el("h3", {}, "The same with curl"), commands),
    ),
  );
  const isWhole = view.restore(state);
  showCommands();
  if (isWhole) run();
}

function formOf(view, onInput, onSubmit) {
  const form = el(
    "form",
    {
      oninput: onInput,
      onsubmit: (event) => {
        event.preventDefault();
        onSubmit();
      },
      onkeydown: (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
      },
    },
    ...view.fields,
    el(
      "div",
      { class: "send" },
      el("button", { type: "submit", class: "main" }, view.verb),
      el("span", { class: "note" }, "or Ctrl + Enter"),
    ),
  );
  return form;
}

/** Waits for a version to be available, saying why; null when the host is taken away. */
async function signaturesWhenLoaded(model, problem, about, closed) {
  while (!closed.aborted) {
    try {
      const found = await getSignatures(model, closed);
      problem.classList.remove("waiting");
      problem.replaceChildren();
      return found;
    } catch (error) {
      if (closed.aborted) return null;
      const versions = await getVersions(model, closed).catch(() => []);
      about.textContent = "Not ready. The page tries again every two seconds.";
      const isComing = versions.some(({ state }) => state === "START" || state === "LOADING");
      problem.classList.toggle("waiting", isComing); // no fault, then
      const news = el("div", {}, ...explain(error), ...versions.map(versionLine));
      // The same again is not said again.
      if (problem.textContent !== news.textContent) problem.replaceChildren(news);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return null;
}

function versionLine({ version, state, message }) {
  return el("p", {}, `Version ${version}: ${state}${message && `, ${message}`}`);
}

function explain(error) {
  if (!(error instanceof ServerError)) return [el("p", {}, error.message)];
  const refused = error.status >= 300;
  const title = refused ? `The server answered ${error.status} ${error.reason}` : error.reason;
  const hint =
    error.status === 404 ? [el("p", {}, "The model is not loaded, or not loaded yet.")] : [];
  return [el("h3", {}, title), el("p", { class: "message" }, error.message), ...hint];
}

function command(model, { signature, body }) {
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

function milliseconds(answer) {
  return Math.round(answer.milliseconds);
}
