// Marks parts of a rendered answer: what lookahead drafted, what another answer does not say. The elements stay
// as they are, so a selection survives.

const FORMULA = ".lm-formula";
const marks = typeof Highlight === "function" && CSS.highlights ? CSS.highlights : null;

// `kind` is drafted or different; `spans` holds [from, to] in `text`. Returns whether anything is marked.
export function mark(kind, parent, lane, text, spans) {
  if (!marks) return false;
  const name = `lm-${kind}-${lane}`;
  const shown = spans.length ? ranges(parent, text, spans) : [];
  if (shown.length) marks.set(name, new Highlight(...shown));
  else marks.delete(name);
  return shown.length > 0;
}

// Rendering only leaves characters out (stars, ticks, line ends), so text nodes are found again in order. A formula knows
// what it was written as, and is marked as a whole.
function ranges(parent, text, spans) {
  const found = [];
  const walker = document.createTreeWalker(parent, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, written);
  let at = 0;
  let span = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.nodeType === Node.ELEMENT_NODE) {
      const place = text.indexOf(node.source, at);
      if (place < 0) continue;
      at = place + node.source.length;
      if (spans.some(([from, to]) => from < at && place < to)) found.push(around(node));
      continue;
    }
    let open = null;
    for (let index = 0; index < node.data.length; index++) {
      const place = text.indexOf(node.data[index], at);
      if (place < 0) break;
      at = place + 1;
      while (span < spans.length && spans[span][1] <= place) span++;
      const inside = span < spans.length && spans[span][0] <= place;
      if (inside && open === null) open = index;
      if (!inside && open !== null) {
        found.push(range(node, open, index));
        open = null;
      }
    }
    if (open !== null) found.push(range(node, open, node.data.length));
  }
  return found;
}

// Text, and formulas in place of what they show.
function written(node) {
  if (node.nodeType === Node.TEXT_NODE) {
    return node.parentElement.closest(FORMULA) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
  }
  return node.matches(FORMULA) ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP;
}

// It stays where what the node shows is put in anew.
function around(node) {
  const made = new Range();
  made.selectNode(node);
  return made;
}

function range(node, from, to) {
  const made = new Range();
  made.setStart(node, from);
  made.setEnd(node, to);
  return made;
}
