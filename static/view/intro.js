// The first minute: what is special in one line, and an example that types itself. Gone after the first turn.
import { h, keyed, mounted, setText, show } from "../dom.js";
import { EXAMPLES, INTRO } from "../words.js";

let on = { type() {}, write() {} };

const intro = mounted("lm-intro", (host) => {
  const button = h("button", { type: "button", class: "lm-watch" });
  button.addEventListener("click", () => on.type(EXAMPLES[0].text));
  const section = h("section", { class: "lm-intro", "aria-label": INTRO.title, hidden: true });
  section.append(h("p", {}, INTRO.line), button);
  host.append(section);
  return { section, button };
});

const examples = mounted("lm-examples", (host) => {
  const list = h("div", { class: "lm-example-list", role: "group", "aria-label": INTRO.examples });
  keyed(list, EXAMPLES, ({ name }) => name, ({ name, text }) => {
    const button = h("button", { type: "button", class: "lm-example" }, name);
    button.addEventListener("click", () => on.write(text));
    return button;
  }, () => {});
  host.append(list);
  return { list };
});

// handlers: type(text) has it typed or, while it is, stops that; write(text) puts it into the box
export function offerExamples(handlers) {
  on = handlers;
}

export function renderIntro(fresh, typing) {
  examples();
  const view = intro();
  if (!view) return;
  show(view.section, fresh);
  setText(view.button, typing ? INTRO.stop : INTRO.watch);
}
