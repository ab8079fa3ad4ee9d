// What the model made of each part of the draft, beside its words: a note, or what came to the begun answer with it.
import { following, h, keyed, mounted, setData, setText, show } from "../dom.js";
import { ROLLBACK_SHOWN_S, quoted, thoughts } from "../store.js";
import { NOTES, PANE, seconds } from "../words.js";
import { renderLine } from "./answer.js";

const parts = mounted("lm-notes", (host) => {
  const title = h("h2", { class: "lm-label" }, NOTES.title);
  const list = h("ol", { class: "lm-notelist", tabindex: "0", "aria-label": NOTES.list });
  host.append(title, list);
  return { title, list };
});

export function renderNotes(state, now) {
  const view = parts();
  if (!view) return;
  const notes = draftNotes(state, now);
  show(view.title, notes.length > 0);
  setText(view.title, notes.some((note) => note.kind === "draft") ? NOTES.drafts : NOTES.title);
  following(view.list, () => renderList(view.list, notes, state.segments));
}

export function renderList(list, notes, segments) {
  show(list, notes.length > 0);
  keyed(list, notes, noteKey, row, (node, note) => update(node, note, segments));
}

const noteKey = (note) => `${note.goneAt ? `gone${note.goneAt}` : "note"}:${note.first}:${note.index}`;

// A decision to wait says nothing, so it has a chip only.
export const spoken = (notes) => notes.filter((note) => note.kind !== "wait");

function draftNotes(state, now) {
  const fresh = state.gone.filter((note) => now - note.goneAt < ROLLBACK_SHOWN_S);
  return [...fresh, ...spoken(thoughts(state))].sort((one, other) => one.index - other.index);
}

function row() {
  return h(
    "li",
    { class: "lm-note" },
    h("span", { class: "lm-note-number" }),
    h("span", { class: "lm-note-about", dir: "auto" }),
    h("span", { class: "lm-note-text", dir: "auto" }),
    h("span", { class: "lm-note-mark" }, h("span", { class: "lm-note-state" }), h("span", { class: "lm-note-cost" })),
  );
}

function update(node, note, segments) {
  const [number, about, text, mark] = node.children;
  const status = note.goneAt ? "rolled-back" : note.status;
  setData(node, "status", status);
  setData(node, "kind", note.kind);
  setText(number, note.first === note.index ? `${note.index + 1}` : `${note.first + 1}–${note.index + 1}`);
  setText(about, note.about ?? quoted(segments, note));
  renderLine(text, note.text.trim());
  setText(mark.firstChild, NOTES.states[status]);
  setText(mark.lastChild, note.tokens ? `${PANE.tokens(note.tokens)} · ${seconds(note.seconds)}` : "");
}
