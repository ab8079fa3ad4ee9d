// The sheet of keyboard shortcuts.
import { h } from "../dom.js";
import { HELP } from "../words.js";

const BY_KEY = "livemind.help-key"; // "off" for who types by speech, say, and hits it without wanting to

let sheet = null;

export function helpByKey() {
  if (localStorage.getItem(BY_KEY) !== "off") showHelp();
}

export function showHelp() {
  sheet ??= build();
  if (!sheet.open) sheet.showModal();
}

function byKey() {
  const box = h("input", { type: "checkbox" });
  box.checked = localStorage.getItem(BY_KEY) !== "off";
  box.addEventListener("change", () => localStorage.setItem(BY_KEY, box.checked ? "on" : "off"));
  return box;
}

function build() {
  const close = h("button", { type: "button", class: "lm-small" }, HELP.close);
  const rows = HELP.keys.map(([keys, what]) => h("div", {}, h("dt", {}, ...keys.map((key) => h("kbd", {}, key))), h("dd", {}, what)));
  const dialog = h(
    "dialog",
    { class: "lm-help-sheet", "aria-labelledby": "lm-help-title" },
    h("h2", { id: "lm-help-title" }, HELP.title),
    h("dl", {}, ...rows),
    h("label", { class: "lm-choice" }, byKey(), HELP.byKey),
    close,
  );
  close.addEventListener("click", () => dialog.close());
  (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  return dialog;
}
