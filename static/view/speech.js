// The microphone beside the text box, and what must be agreed to before it is used.
import { h, mounted, setText, show } from "../dom.js";
import { SPEECH } from "../words.js";

let speech = null;

// one: the Speech of speech.js
export function offerSpeech(one) {
  speech = one;
}

const parts = mounted("lm-speech", (host) => {
  const button = h("button", { type: "button", class: "lm-small lm-microphone", "aria-pressed": "false" });
  button.addEventListener("click", toggle);
  host.append(button);
  return { button };
});

export function renderSpeech() {
  const view = parts();
  if (!view || !speech) return;
  show(view.button, speech.available);
  view.button.setAttribute("aria-pressed", String(speech.listening));
  setText(view.button, speech.listening ? SPEECH.stop : SPEECH.start);
}

function toggle() {
  if (speech.listening) speech.stop();
  else if (speech.allowed) speech.start();
  else ask();
}

function ask() {
  const dialog = h("dialog", { class: "lm-help-sheet", "aria-labelledby": "lm-speech-title" });
  const choice = (text, act) => {
    const button = h("button", { type: "button", class: "lm-small" }, text);
    button.addEventListener("click", () => {
      dialog.close();
      act();
    });
    return button;
  };
  const listen = choice(SPEECH.agree, () => {
    speech.allow();
    speech.start();
  });
  const tools = h("p", { class: "lm-bar-of-tools" }, listen, choice(SPEECH.refuse, () => {}));
  dialog.append(h("h2", { id: "lm-speech-title" }, SPEECH.title), h("p", {}, SPEECH.warning), tools);
  dialog.addEventListener("close", () => dialog.remove());
  (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  dialog.showModal();
}
