// Colours for what is drawn rather than styled: the page's own, so that light and dark need nothing here.

const NAMES = [
  ...["card", "line", "well", "muted", "good", "bad", "live", "live-soft", "exact", "exact-soft"],
  ...["conventional", "conventional-soft", "slm", "slm-soft"],
];

// Of the place where `node` is: colours by name, `text` and `font`.
export function paletteOf(node) {
  const style = getComputedStyle(node);
  const colors = NAMES.map((name) => [name, style.getPropertyValue(`--lm-${name}`).trim()]);
  return { ...Object.fromEntries(colors), text: style.color, font: style.fontFamily };
}

// By lane: the answer of a small model has the colour of the way in which it came.
const SHARED = { "live-slm": "live", "exact-slm": "exact", "llm-to-slm": "exact" };
export const colorOf = (lane) => SHARED[lane] ?? lane;
