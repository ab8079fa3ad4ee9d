// The answer as far as it is begun while the user types.
import { following, h, mounted, setData, show } from "../dom.js";
import { ready } from "../store.js";
import { BEGUN } from "../words.js";
import { renderAnswer } from "./answer.js";

const parts = mounted("lm-begun", (host) => {
  const text = h("div", { class: "lm-begun-text", dir: "auto", tabindex: "0" });
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
  following(view.text, () => renderAnswer(view.text, answer.text));
}
