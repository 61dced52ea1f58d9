// Model cards as elements: the part of Markdown that they use. What looks like HTML stays text.

import { el, scrollable } from "./dom.js";

const FENCE = /^```/;
const HEADING = /^(#+) +(.*)/;
const ITEM = /^[-*] +/;
const ROW = /^\|/;
const INLINE = new RegExp(
  [
    "`([^`]+)`",
    "\\*\\*(.+?)\\*\\*",
    "\\*([^*\\s][^*]*)\\*",
    "\\[([^\\]]+)\\]\\((https?://[^)\\s]+)\\)",
    "(https?://[^\\s)<>]*[^\\s)<>.,;:])",
  ].join("|"),
  "g",
);

/** Blocks of a text; a heading of the first level is a `h3`. */
export function blocks(text) {
  const lines = text.split(/\r?\n/);
  const elements = [];
  const takeWhile = (test) => {
    const taken = [];
    while (lines.length && test(lines[0])) taken.push(lines.shift());
    return taken;
  };
  while (lines.length) {
    const line = lines[0];
    if (line.trim() === "") {
      lines.shift();
    } else if (FENCE.test(line)) {
      lines.shift();
      const code = takeWhile((each) => !FENCE.test(each)).join("\n");
      lines.shift();
      elements.push(scrollable("Code", el("pre", {}, code)));
    } else if (HEADING.test(line)) {
      const [, marks, title] = lines.shift().match(HEADING);
      elements.push(el(`h${Math.min(marks.length + 2, 6)}`, {}, ...inline(title)));
    } else if (ROW.test(line)) {
      elements.push(tableOf(takeWhile((each) => ROW.test(each))));
    } else if (ITEM.test(line)) {
      const taken = takeWhile((each) => each.trim() !== "" && !HEADING.test(each));
      elements.push(listOf(taken));
    } else {
      const words = [lines.shift(), ...takeWhile(isText)].join(" ");
      elements.push(el("p", {}, ...inline(words)));
    }
  }
  return elements;
}

/** Code, emphasis and links within a line. */
export function inline(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, strong, emphasis, name, target, address] = match;
    nodes.push(text.slice(at, match.index));
    at = match.index + whole.length;
    if (code) nodes.push(el("code", {}, code));
    else if (strong) nodes.push(el("strong", {}, ...inline(strong)));
    else if (emphasis) nodes.push(el("em", {}, emphasis));
    else nodes.push(el("a", { href: target ?? address, rel: "noreferrer" }, name ?? address));
  }
  return [...nodes, text.slice(at)].filter((node) => node !== "");
}

function isText(line) {
  return line.trim() !== "" && ![FENCE, HEADING, ROW, ITEM].some((kind) => kind.test(line));
}

/** A line that starts no item goes on with the one before. */
function listOf(lines) {
  const items = [];
  for (const line of lines) {
    if (ITEM.test(line) || items.length === 0) items.push(line.replace(ITEM, ""));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return el("ul", {}, ...items.map((item) => el("li", {}, ...inline(item))));
}

function tableOf(lines) {
  const rows = lines.map((line) => line.replace(/^\||\|\s*$/g, "").split("|"));
  const [head, , ...body] = rows.map((row) => row.map((cell) => inline(cell.trim())));
  const cells = (tag, row) => row.map((nodes) => el(tag, {}, ...nodes));
  const table = el(
    "table",
    { class: "list" },
    el("thead", {}, el("tr", {}, ...cells("th", head))),
    el("tbody", {}, ...body.map((row) => el("tr", {}, ...cells("td", row)))),
  );
  const columns = head.flat().map((node) => node.textContent ?? node);
  return scrollable(`Table of ${columns.join(", ")}`, table);
}
