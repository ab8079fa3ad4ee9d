// The sheet of keyboard shortcuts.
import { h } from "../dom.js";
import { HELP } from "../words.js";

let sheet = null;

export function showHelp() {
  sheet ??= build();
  if (!sheet.open) sheet.showModal();
}

function build() {
  const close = h("button", { type: "button", class: "lm-small" }, HELP.close);
  const rows = HELP.keys.map(([keys, what]) => h("div", {}, h("dt", {}, ...keys.map((key) => h("kbd", {}, key))), h("dd", {}, what)));
  const dialog = h(
    "dialog",
    { class: "lm-help-sheet", "aria-labelledby": "lm-help-title" },
    h("h2", { id: "lm-help-title" }, HELP.title),
    h("dl", {}, ...rows),
    close,
  );
  close.addEventListener("click", () => dialog.close());
  (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  return dialog;
}
