// The text box: every change of it, by whatever means, its keys and its buttons. Listeners sit on the document, so
// that they outlive any re-rendering of the box, and act in the step of the event: a click that goes through Gradio
// arrives later than what is typed right after it.

const box = () => document.querySelector("#lm-prompt textarea");
const inBox = (event) => event.target instanceof Element && event.target.closest("#lm-prompt") !== null;
const hasOwnEscape = (event) => event.target instanceof Element && event.target.closest("#lm-options, dialog, .lm-chat-name") !== null;
const inField = (event) => event.target instanceof Element && event.target.closest("input, textarea, select") !== null;
const setValue = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;

export class Composer {
  #composing = false;
  #text = "";

  // on: change(text), send(), stop(), fresh() for a new chat, again(), help(), touched() by the user's own hand
  constructor(on) {
    this.on = on;
    document.addEventListener("input", (event) => inBox(event) && this.look(event.isComposing), true);
    document.addEventListener("compositionstart", (event) => inBox(event) && (this.#composing = true), true);
    document.addEventListener("compositionend", (event) => inBox(event) && this.#composed(), true);
    document.addEventListener("keydown", (event) => this.#key(event), true);
    document.addEventListener("click", (event) => this.#click(event), true);
  }

  get text() {
    return box()?.value ?? this.#text;
  }

  // Read the box; nothing is told while an input method composes.
  look(composing = false) {
    if (composing || this.#composing || this.text === this.#text) return;
    this.#text = this.text;
    this.on.change(this.#text);
  }

  write(text) {
    const area = box();
    if (!area) return;
    setValue.call(area, text);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.setSelectionRange(text.length, text.length);
  }

  // At the caret, in place of what is selected.
  insert(text) {
    const area = box();
    if (!area) return;
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  }

  focus() {
    box()?.focus();
  }

  #composed() {
    this.#composing = false;
    this.look();
  }

  #click(event) {
    const act = { "lm-new": "fresh", "lm-send": "send", "lm-stop": "stop" }[event.target.closest?.("button")?.id];
    if (act) this.on[act]();
  }

  #key(event) {
    if (inBox(event) && event.isTrusted) this.on.touched();
    if (event.isComposing || event.keyCode === 229) {
      if (inBox(event) && event.key === "Enter") event.stopImmediatePropagation();
    } else if (event.key === "Escape" && !hasOwnEscape(event)) {
      this.on.stop();
    } else if (event.key === "?" && !inField(event)) {
      this.on.help();
    } else if (event.key === "ArrowUp" && inBox(event) && !this.text) {
      event.preventDefault();
      this.on.again();
    } else if (event.key === "Enter" && inBox(event)) {
      event.stopImmediatePropagation(); // Gradio has its own idea of Enter
      if (event.shiftKey) return;
      event.preventDefault();
      if (!event.repeat) this.on.send();
    }
  }
}

// Resolves when Gradio has rendered the box.
export function boxRendered() {
  if (box()) return Promise.resolve();
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (!box()) return;
      observer.disconnect();
      resolve();
    });
    observer.observe(document.documentElement, { childList: true, subtree: true });
  });
}
