// The page's own switches: language, light and dark, help.
import { h, setText } from "../dom.js";
import { LANGUAGES, PAGE, language, speak } from "../words.js";

const THEME = "livemind.theme";

export function furnishHeader(help) {
  document.documentElement.lang = language;
  const theme = localStorage.getItem(THEME);
  if (theme) document.body.classList.toggle("dark", theme === "dark");
  const tools = document.querySelector(".lm-header .lm-tools");
  if (!tools || tools.children.length) return;
  tools.setAttribute("aria-label", PAGE.tools);
  setText(document.querySelector(".lm-header p"), PAGE.tagline);
  const history = document.querySelector(".lm-header a[href=history]");
  if (history) setText(history, PAGE.history);
  tools.append(languages(), button("◐", PAGE.dark, toggleDark), button("?", PAGE.help, help));
}

function languages() {
  const select = h("select", { class: "lm-language", "aria-label": PAGE.language });
  for (const [name, title] of Object.entries(LANGUAGES)) {
    select.append(h("option", { value: name, lang: name, selected: name === language }, title));
  }
  select.addEventListener("change", () => speak(select.value));
  return select;
}

function button(sign, label, act) {
  const made = h("button", { type: "button", class: "lm-round", "aria-label": label, title: label }, sign);
  made.addEventListener("click", act);
  return made;
}

function toggleDark() {
  const dark = document.body.classList.toggle("dark");
  localStorage.setItem(THEME, dark ? "dark" : "light");
  window.dispatchEvent(new Event("resize")); // pictures are drawn in the page's colours
}

// What Gradio has put there in English.
export function translateBlocks() {
  const box = document.querySelector("#lm-prompt textarea");
  box.placeholder = PAGE.placeholder;
  box.dir = "auto";
  box.setAttribute("aria-label", PAGE.prompt);
  for (const name of ["new", "stop", "send"]) setText(document.querySelector(`button#lm-${name}`), PAGE[name]);
}
