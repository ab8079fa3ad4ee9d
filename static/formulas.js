// Formulas in model text, as MathML. Temml makes it: vendor/temml.js is temml.min.js of the npm package temml 0.13.5 with
// one line more, its export. It is loaded when the first formula comes.
import { h } from "./dom.js";

// Written out: $ alone is money more often than mathematics. What surrounds a line of its own belongs to it.
export const FORMULA = /\\\([^]+?\\\)|\s*(?:\\\[[^]+?\\\]|\$\$[^]+?\$\$)[ \t]*\n?/;

const LIMITS = { throwOnError: true, trust: false, maxExpand: 200, maxSize: [20, 20] }; // em; nothing that leads elsewhere

let library = null;

// An element that shows `source` as it is written until it can be shown better; `source` stays with it.
export function formula(source) {
  const tex = source.trim().slice(2, -2);
  const display = !source.startsWith("\\(");
  const node = h("span", { class: "lm-formula", dir: "ltr", "data-display": String(display) }, source);
  node.source = source;
  typeset(node, tex, display);
  return node;
}

async function typeset(node, tex, displayMode) {
  try {
    library ??= import("./vendor/temml.js");
    const { default: temml } = await library;
    const made = h("span");
    temml.render(tex, made, { ...LIMITS, displayMode });
    node.replaceChildren(...made.childNodes);
  } catch (error) {
    if (error instanceof TypeError) library = null; // it did not come: asked for again with the next formula
  }
}
