// One model on the page: its form, its calls, its answers. What differs from task to task is in
// `views/`; what follows a submit is the same for all. A view says itself which signatures it fits;
// what fits none of them gets the plain form.

import { ServerError, getCard, getSignatures, getVersions, predict } from "./api.js";
import { commandBoxes } from "./commands.js";
import { announce, el } from "./dom.js";
import { FormError } from "./form_error.js";
import * as generic from "./generic.js";
import { blocks, inline } from "./markdown.js";

const files = JSON.parse(document.getElementById("view-files").textContent);
const loadingViews = Promise.all(files.map((file) => import(`./views/${file}`)));
const RETRY_MS = 2000;

/**
 * Fills `element` with a model, which may leave the page and come back with all that is in it.
 *
 * @param {string} model
 * @param {string} title of the model, as far as it is known
 * @param {(title: string) => string} onTitle told what the card calls it, gives its title
 * @param {(state: object) => void} onState told what the user sent
 */
export class Workbench {
  #onTitle;
  #onState;
  #wanted = {}; // what to fill in
  #sent = {}; // what the answer belongs to, if the user asked for it
  #opening = null; // aborts the waiting for the model
  #view = null;
  #running = new AbortController();

  #title = el("h2", {});
  #card = el("div", { class: "card" });
  #about = el("p", { class: "note" });
  #problem = el("div", { class: "problem", role: "alert" });
  #progress = el("p", { class: "note progress" });
  #answer = el("section", { class: "answer", "aria-label": "Answer" });
  #commands = el("div", {});
  #form = null;

  constructor(model, title, onTitle, onState) {
    this.model = model;
    this.#title.textContent = title;
    this.#onTitle = onTitle;
    this.#onState = onState;
    this.element = el("div", {});
  }

  /** Is on the page from now on, with `state` filled in and sent if it is new. */
  enter(state) {
    this.#wanted = state;
    if (this.#view) this.#fill(false);
    else if (!this.#opening) this.#open();
  }

  /** Is not on the page any more. */
  leave() {
    this.#opening?.abort(); // the next time looks again
    this.#opening = null;
  }

  async #open() {
    this.#opening = new AbortController();
    const { signal } = this.#opening;
    this.#about.textContent = "Reading the model's signatures …";
    this.#problem.replaceChildren();
    this.element.replaceChildren(this.#title, this.#card, this.#about, this.#problem);
    const views = await loadingViews;
    const found = await this.#signaturesWhenLoaded(signal);
    if (!found || signal.aborted) return;
    this.#showCard(await getCard(this.model, signal).catch(() => null));
    if (signal.aborted) return;
    const { version, signatures } = found;
    this.#view = (views.find(({ fits }) => fits(signatures)) ?? generic).open(signatures);
    const { title: task } = this.#view;
    const named = this.#title.textContent === this.model ? task : `${this.model} · ${task}`;
    const names = [...signatures.keys()].join(", ");
    this.#about.textContent = `${named} · version ${version} · signatures ${names}`;
    announce(`${this.#title.textContent}: ${task}`);
    this.#form = this.#makeForm();
    const calls = el("section", { class: "calls" }, el("h3", {}, "The same with curl and Python"));
    calls.append(this.#commands);
    const results = el("div", { class: "results" }, this.#problem, this.#progress, this.#answer);
    this.element.append(el("div", { class: "columns" }, this.#form, calls, results));
    this.#fill(true);
  }

  #showCard(card) {
    if (!card) return;
    const { title, purpose, limit, text } = card;
    if (title) this.#title.textContent = this.#onTitle(title);
    const whole = el("details", {}, el("summary", {}, "Model card"), ...blocks(text));
    this.#card.replaceChildren(el("p", {}, ...inline(purpose)), whole);
    if (limit) whole.before(el("p", {}, el("strong", {}, "Limits"), ": ", ...inline(limit)));
  }

  /** Takes over what was wanted, or at the first time an example; a form that is whole is sent. */
  #fill(first) {
    const wanted = Object.entries(this.#wanted);
    if (!first && wanted.every(([key, value]) => this.#sent[key] === value)) {
      if (Object.keys(this.#sent).length) this.#onState(this.#sent);
      return;
    }
    const isWhole = this.#view.restore(this.#wanted);
    this.#showCommands();
    if (isWhole) this.#run();
    else if (first && this.#view.startsWithExample) this.#run(false);
  }

  /** @param {boolean} [asked] whether by the user, so that the address shall say it */
  async #run(asked = true) {
    this.#running.abort(); // the newest call alone is shown
    this.#running = new AbortController();
    const { signal } = this.#running;
    this.#problem.replaceChildren();
    try {
      const calls = this.#view.calls();
      const sent = this.#view.state(); // the form may have changed when the answer comes
      if (asked) this.#onState((this.#sent = sent));
      this.#wait();
      const answers = await Promise.all(calls.map((call) => predict(this.model, call, signal)));
      const { summary, content, goOn } = this.#view.show(answers, sent, calls);
      this.#answer.replaceChildren(...content);
      this.#progress.textContent = `Answered in ${Math.max(...answers.map(milliseconds))} ms`;
      if (goOn) await this.#goOn(goOn, signal);
      else if (this.element.isConnected) announce(summary);
    } catch (error) {
      if (signal.aborted) return;
      this.#answer.replaceChildren();
      this.#progress.textContent = "";
      this.#problem.replaceChildren(...explain(error));
      error.field?.focus();
    }
    this.#answer.removeAttribute("aria-busy");
  }

  /**
   * An answer that grows: `goOn(send)` makes further calls, one after the other, and gives
   * `{summary, told}` at its end. What is there by then stays, whatever goes wrong.
   */
  async #goOn(goOn, signal) {
    this.#answer.removeAttribute("aria-busy");
    this.#spin("Writing …", "Stop", () => this.#stop("Stopped"));
    const started = performance.now();
    try {
      const { summary, told } = await goOn((call) => predict(this.model, call, signal));
      const hadFocus = this.#progress.contains(document.activeElement);
      this.#progress.textContent = `${told} in ${Math.round(performance.now() - started)} ms`;
      if (hadFocus) this.#focusForm();
      if (this.element.isConnected) announce(summary);
    } catch (error) {
      if (signal.aborted) return;
      this.#progress.textContent = "";
      this.#problem.replaceChildren(...explain(error));
    }
  }

  #wait() {
    this.#spin("Waiting for the server …", "Cancel", () => {
      this.#answer.replaceChildren();
      this.#answer.removeAttribute("aria-busy");
      this.#stop("Cancelled");
    });
    this.#answer.setAttribute("aria-busy", "true"); // the style sheet hides what was there
  }

  #spin(text, verb, onclick) {
    const spinner = el("span", { class: "spinner", "aria-hidden": "true" });
    const button = el("button", { type: "button", onclick }, verb);
    this.#progress.replaceChildren(el("span", { class: "pending" }, spinner, text, button));
  }

  #stop(told) {
    this.#running.abort();
    this.#progress.textContent = told;
    announce(told);
    this.#focusForm(); // the button that was pressed is gone
  }

  #focusForm() {
    this.#form.querySelector("button.main").focus();
  }

  #showCommands() {
    try {
      const boxes = commandBoxes(this.model, this.#view.calls(), this.#view.programs);
      this.#commands.replaceChildren(...boxes);
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      this.#commands.replaceChildren(el("p", { class: "note" }, error.message));
    }
  }

  #makeForm() {
    const form = el(
      "form",
      {
        oninput: () => this.#showCommands(),
        onsubmit: (event) => {
          event.preventDefault();
          this.#run();
        },
        onkeydown: (event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
        },
      },
      ...this.#view.fields,
      el(
        "div",
        { class: "send" },
        el("button", { type: "submit", class: "main" }, this.#view.verb),
        el("span", { class: "note" }, "or Ctrl + Enter"),
      ),
    );
    return form;
  }

  /** Waits for a version to be available, saying why; null when the model is left. */
  async #signaturesWhenLoaded(signal) {
    while (!signal.aborted) {
      try {
        const found = await getSignatures(this.model, signal);
        this.#problem.classList.remove("waiting");
        this.#problem.replaceChildren();
        return found;
      } catch (error) {
        if (signal.aborted) return null;
        const versions = await getVersions(this.model, signal).catch(() => []);
        this.#about.textContent = "Not ready. The page tries again every two seconds.";
        const isComing = versions.some(({ state }) => state === "START" || state === "LOADING");
        this.#problem.classList.toggle("waiting", isComing); // no fault, then
        const news = el("div", {}, ...explain(error), ...versions.map(versionLine));
        // The same again is not said again.
        if (this.#problem.textContent !== news.textContent) this.#problem.replaceChildren(news);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    return null;
  }
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

function milliseconds(answer) {
  return Math.round(answer.milliseconds);
}
