// Formulas in model text, as MathML by Temml, which is loaded when the first one comes. In vendor/ are files of the npm
// package temml 0.13.5: temml.js is temml.min.js with a last line that exports it, temml.css is Temml-Local.css.
import { h } from "./dom.js";

// Written out: $ alone is money more often than mathematics. What surrounds a line of its own belongs to it.
export const FORMULA = /\\\([^]+?\\\)|\s*(?:\\\[[^]+?\\\]|\$\$[^]+?\$\$)[ \t]*\n?/;

const LIMITS = { throwOnError: true, trust: false, maxExpand: 200, maxSize: [20, 20] }; // em; nothing that leads elsewhere

let library = null;

// An element that shows `source` as it is written until it can be shown better; `source` stays with it.
export function formula(source) {
  const display = !source.startsWith("\\(");
  const node = h("span", { class: "lm-formula", dir: "ltr", "data-display": String(display) }, source);
  node.source = source;
  typeset(node, source.trim().slice(2, -2), display);
  return node;
}

async function typeset(node, tex, displayMode) {
  try {
    const temml = await loaded();
    const made = h("span");
    temml.render(tex, made, { ...LIMITS, displayMode });
    node.replaceChildren(...made.childNodes);
    if (node.scrollWidth > node.clientWidth) node.tabIndex = 0; // scrolled with keys
  } catch {
    // Not TeX, or Temml did not come: what was written stays.
  }
}

// Asked for again with the next formula where it did not come.
function loaded() {
  library ??= Promise.all([import("./vendor/temml.js"), styled()]).then(
    ([{ default: temml }]) => temml,
    (error) => {
      library = null;
      throw error;
    },
  );
  return library;
}

// Without it some lines (over a repeating decimal, through what cancels out) are not drawn.
function styled() {
  const link = h("link", { rel: "stylesheet", href: new URL("./vendor/temml.css", import.meta.url).href });
  document.head.append(link);
  return new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = () => (link.remove(), reject(new Error("the style sheet of formulas did not come")));
  });
}
