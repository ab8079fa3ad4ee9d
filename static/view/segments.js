// The segments of the draft as chips: what each one is doing.
import { following, h, keyed, mounted, setData, setText, show } from "../dom.js";
import { segmentStates } from "../store.js";
import { NOTES, SEGMENTS } from "../words.js";

const ICONS = { typing: "✎", finished: "·", thinking: "…", noted: "✓", waiting: "⏸", drafting: "…", drafted: "✓", rewritten: "↻", unchanged: "✓", "rolled-back": "↶", cut: "✂" };

const parts = mounted("lm-segments", (host) => {
  const list = h("ol", { class: "lm-chips", tabindex: "0", "aria-label": NOTES.parts });
  host.append(list);
  return { list };
});

export function renderSegments(state, now) {
  const view = parts();
  if (!view) return;
  const chips = segmentStates(state, now);
  show(view.list, chips.length > 0);
  following(view.list, () => keyed(view.list, chips, (_, index) => index, chip, update));
}

function chip(_, index) {
  return h(
    "li",
    { class: "lm-chip" },
    h("span", { class: "lm-chip-icon", "aria-hidden": "true" }),
    h("span", { class: "lm-chip-number" }, String(index + 1)),
    h("span", { class: "lm-chip-text", dir: "auto" }),
    h("span", { class: "lm-chip-word" }),
  );
}

function update(node, { text, status }) {
  const [icon, , body, word] = node.children;
  setData(node, "status", status);
  setText(icon, ICONS[status]);
  setText(body, text.trim());
  if (node.title !== text.trim()) node.title = text.trim();
  setText(word, SEGMENTS[status]);
}
