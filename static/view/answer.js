// Model text as paragraphs, code, emphasis and formulas. Built from text nodes only: nothing in it can become an element.
import { h, keyed, setText } from "../dom.js";
import { FORMULA, formula } from "../formulas.js";

const INLINE = new RegExp(`(\`[^\`\n]+\`|\\*\\*[^*\n]+\\*\\*|${FORMULA.source})`);
const WHOLE_FORMULA = new RegExp(`^(?:${FORMULA.source})$`);

// >>> blocks("One\n\n```\ncode\n```")  →  [{code: false, text: "One"}, {code: true, text: "code"}]
export function blocks(text) {
  const found = [];
  text.split(/^```.*\n?/m).forEach((part, index) => {
    if (index % 2) found.push({ code: true, text: part.replace(/\n$/, "") });
    else for (const piece of part.split(/\n{2,}/)) if (piece.trim()) found.push({ code: false, text: piece.trim() });
  });
  return found;
}

// Only blocks that changed are rendered again, so a selection in a finished paragraph survives.
export function renderAnswer(parent, text) {
  if (parent.answerText === text) return;
  parent.answerText = text;
  keyed(
    parent,
    blocks(text),
    (block, index) => `${index}${block.code ? "c" : "p"}`,
    (block) => (block.code ? h("pre", { tabindex: "0" }) : h("p", { dir: "auto" })),
    (node, block) => (block.code ? setText(node, block.text) : renderLine(node, block.text)),
  );
}

// Without blocks.
export function renderLine(node, text) {
  if (node.source === text) return;
  node.source = text;
  node.replaceChildren(...inline(text));
}

function inline(text) {
  return text
    .replace(/^#{1,6} +(.+)$/gm, "**$1**")
    .split(INLINE)
    .map((piece) => {
      if (/^`.+`$/.test(piece)) return h("code", {}, piece.slice(1, -1));
      if (/^\*\*.+\*\*$/.test(piece)) return h("strong", {}, ...inline(piece.slice(2, -2)));
      return WHOLE_FORMULA.test(piece) ? formula(piece) : piece;
    });
}
