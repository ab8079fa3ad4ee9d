// The answer as far as it is begun while the user types, below the notes.
import { h, mounted, setData, setText, show } from "../dom.js";
import { ready } from "../store.js";
import { BEGUN } from "../words.js";

const parts = mounted("lm-begun", (host) => {
  const text = h("p", { class: "lm-begun-text", dir: "auto", tabindex: "0" });
  const section = h("section", { class: "lm-begun", "aria-label": BEGUN.title }, h("h2", { class: "lm-label" }, BEGUN.title), text);
  host.append(section);
  return { section, text };
});

export function renderBegun(state) {
  const view = parts();
  if (!view) return;
  const answer = ready(state);
  show(view.section, Boolean(answer?.text));
  if (!answer) return;
  setData(view.text, "done", String(answer.done));
  if (view.text.textContent === answer.text) return;
  const ended = view.text.scrollHeight - view.text.scrollTop - view.text.clientHeight < 24; // the newest line shows
  setText(view.text, answer.text);
  if (ended) view.text.scrollTop = view.text.scrollHeight;
}
