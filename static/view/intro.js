// The first minute: what is special in one line, and examples, one of which types itself. Here until there is a draft or a turn.
import { h, keyed, mounted, show } from "../dom.js";
import { EXAMPLES, INTRO } from "../words.js";

let on = { type() {}, write() {} };

const parts = mounted("lm-intro", (host) => {
  const section = h("section", { class: "lm-intro", "aria-label": INTRO.title, hidden: true });
  const offers = h("div", { class: "lm-offers" }, watch(), examples());
  section.append(h("p", {}, INTRO.line), offers);
  host.append(section);
  return { section, offers };
});

function watch() {
  const button = h("button", { type: "button", class: "lm-watch" }, INTRO.watch);
  button.addEventListener("click", () => on.type(EXAMPLES[0].text));
  return button;
}

function examples() {
  const list = h("div", { class: "lm-example-list", role: "group", "aria-label": INTRO.examples });
  keyed(list, EXAMPLES, ({ name }) => name, ({ name, text }) => {
    const button = h("button", { type: "button", class: "lm-example" }, name);
    button.addEventListener("click", () => on.write(text));
    return button;
  }, () => {});
  return list;
}

// handlers: type(text) has it typed, write(text) puts it into the box
export function offerExamples(handlers) {
  on = handlers;
}

// `empty`: nothing is in the box that an example would replace
export function renderIntro(shown, empty) {
  const view = parts();
  if (!view) return;
  show(view.section, shown);
  show(view.offers, empty);
}
