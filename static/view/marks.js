// Marks parts of a rendered answer: what lookahead drafted, what another answer does not say. The elements stay
// as they are, so a selection survives.

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

// Rendering only leaves characters out (stars, ticks, line ends), so text nodes are found again in order.
function ranges(parent, text, spans) {
  const found = [];
  const walker = document.createTreeWalker(parent, NodeFilter.SHOW_TEXT);
  let at = 0;
  let span = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
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

function range(node, from, to) {
  const made = new Range();
  made.setStart(node, from);
  made.setEnd(node, to);
  return made;
}
