// Making elements. Text only ever becomes text: nothing here or elsewhere parses HTML.

/**
 * An element with attributes, listeners (`onclick` and the like) and children.
 * `true` sets an empty attribute; `false`, `null` and `undefined` set none.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== false && value != null) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children);
  return element;
}

/** Tells the style sheet a weight from 0 to 1, to paint an element by. */
export function setWeight(element, weight) {
  element.style.setProperty("--weight", Math.min(Math.max(weight, 0), 1).toFixed(3));
}

/** A number from 0 to 1 in percent, without the sign; 100 is said of nothing less than all. */
export function percent(share, digits = 0) {
  const rounded = (100 * share).toFixed(digits);
  if (share >= 1 || Number(rounded) < 100) return rounded;
  return `>${(100 - 10 ** -digits).toFixed(digits)}`;
}

/** A table; `head` and the first cell of each row are its headers. */
export function table(caption, head, rows) {
  return el(
    "table",
    { class: "list" },
    el("caption", {}, caption),
    el("thead", {}, el("tr", {}, ...head.map((text) => el("th", { scope: "col" }, text)))),
    el(
      "tbody",
      {},
      ...rows.map(([first, ...rest]) =>
        el("tr", {}, el("th", { scope: "row" }, first), ...rest.map((cell) => el("td", {}, cell))),
      ),
    ),
  );
}

/** What is wider than the page scrolls by itself, also with the keyboard. */
export function scrollable(label, content) {
  const attributes = { class: "scrollable", role: "region", "aria-label": label, tabindex: 0 };
  return withEdges(el("div", attributes, content));
}

/** Puts a frame around what scrolls, whose edges show on which side there is more. */
export function withEdges(scroller) {
  const frame = el("div", { class: "frame" }, scroller);
  const showEdges = () => {
    const left = scroller.scrollLeft;
    frame.classList.toggle("more-before", left > 1);
    frame.classList.toggle("more-after", left + scroller.clientWidth < scroller.scrollWidth - 1);
  };
  scroller.addEventListener("scroll", showEdges, { passive: true });
  const sizes = new ResizeObserver(showEdges);
  for (const element of [scroller, ...scroller.children]) sizes.observe(element);
  return frame;
}

/** Says something to screen readers without moving the focus. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/**
 * One tab stop for a row of buttons; the arrow keys, Home and End move within it. A button that is
 * added later has `tabindex="-1"`.
 */
export function rove(container) {
  const buttons = () => [...container.querySelectorAll("button")];
  const stopAt = (stop) =>
    buttons().forEach((button) => button.setAttribute("tabindex", button === stop ? 0 : -1));
  stopAt(buttons()[0]);
  container.addEventListener("focusin", (event) => stopAt(event.target));
  container.addEventListener("keydown", (event) => {
    const items = buttons();
    const at = items.indexOf(document.activeElement);
    const to = {
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      Home: 0,
      End: items.length - 1,
    }[event.key];
    if (items[to]) {
      event.preventDefault();
      items[to].focus();
    }
  });
}
