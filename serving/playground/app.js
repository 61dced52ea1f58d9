// The page as a whole: the list of models, and the address that says which one is open with what.
//
// The address is `#model=NAME&text=…`, so that a link shows what its sender saw. What was typed
// and answered stays in the page while other models are looked at.

import { el } from "./dom.js";
import { startTheme } from "./theme.js";
import { Workbench } from "./workbench.js";

const names = JSON.parse(document.getElementById("model-names").textContent);
const titles = JSON.parse(document.getElementById("model-titles").textContent);
const host = document.getElementById("workbench");
const links = names.map((name) => el("a", { href: address({ model: name }), title: name }));
const benches = new Map(); // by model, those that have been open
let shown = null;

function address(state) {
  return `#${new URLSearchParams(state)}`;
}

/** Of a model: what its card calls it, and its name where that is not enough. */
function titleOf(name) {
  const title = titles[name] ?? name;
  const isOne = names.filter((other) => titles[other] === title).length < 2;
  return isOne ? title : `${title} (${name})`;
}

function showTitles() {
  links.forEach((link, index) => (link.textContent = titleOf(names[index])));
  document.title = `${shown ? titleOf(shown.model) : "No model"} · RNN Playground`;
}

function route() {
  const { model = names[0], ...state } = Object.fromEntries(
    new URLSearchParams(location.hash.slice(1)),
  );
  links.forEach((link, index) => {
    if (names[index] === model) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  const bench = names.includes(model) ? benchOf(model) : null;
  if (shown !== bench) shown?.leave();
  shown = bench;
  showTitles();
  host.replaceChildren(...(bench ? [bench.element] : noModel(model)));
  bench?.enter(state);
}

function benchOf(model) {
  if (!benches.has(model)) {
    const onState = (sent) => history.replaceState(null, "", address({ model, ...sent }));
    const onTitle = (title) => {
      titles[model] = title; // the model may have been loaded after the page
      showTitles();
      return titleOf(model);
    };
    benches.set(model, new Workbench(model, titleOf(model), onTitle, onState));
  }
  return benches.get(model);
}

function noModel(model) {
  if (model === undefined) return [el("p", {}, "This server has no models.")];
  const title = el("h2", {}, "No such model");
  const hint = names.length ? " Choose one of those above." : "";
  const text = `This server has no model named “${model}”.${hint}`;
  return [title, el("div", { class: "problem", role: "alert" }, el("p", {}, text))];
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part after # is taken
  host.focus();
});
document.getElementById("models").append(...links.map((link) => el("li", {}, link)));
startTheme(document.getElementById("theme"));
window.addEventListener("hashchange", route);
route();
