// The page as a whole: the list of models, and the address that says which one is open with what.
//
// The address is `#model=NAME&text=…`, so that a link shows what its sender saw.

import { el } from "./dom.js";
import { startTheme } from "./theme.js";
import { openWorkbench } from "./workbench.js";

const names = JSON.parse(document.getElementById("model-names").textContent);
const host = document.getElementById("workbench");
const links = names.map((name) => el("a", { href: address({ model: name }) }, name));
let current = new AbortController();

function address(state) {
  return `#${new URLSearchParams(state)}`;
}

function route() {
  current.abort();
  current = new AbortController();
  const { model = names[0], ...state } = Object.fromEntries(
    new URLSearchParams(location.hash.slice(1)),
  );
  links.forEach((link, index) => {
    if (names[index] === model) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  if (model === undefined) {
    host.replaceChildren(el("p", {}, "This server has no models."));
    return;
  }
  document.title = `${model} · RNN Playground`;
  const onState = (sent) => history.replaceState(null, "", address({ model, ...sent }));
  openWorkbench(host, model, state, onState, current.signal);
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part after # is taken
  host.focus();
});
document.getElementById("models").append(...links.map((link) => el("li", {}, link)));
startTheme(document.getElementById("theme"));
window.addEventListener("hashchange", route);
route();
