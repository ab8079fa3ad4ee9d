// Speech as text, where the browser has it: what it understands so far is in the box as if it were typed.
import { SPEECH, language } from "./words.js";

const CONSENT = "livemind.speech";
const LOCALES = { en: "en-US", zh: "zh-CN", ja: "ja-JP" };
const Recognition = window.SpeechRecognition ?? window.webkitSpeechRecognition;

export class Speech {
  #recognition = null;

  // composer: text, write(text); on: changed(), notice(text)
  constructor(composer, on) {
    this.composer = composer;
    this.on = on;
  }

  get available() {
    return Boolean(Recognition);
  }

  get listening() {
    return this.#recognition !== null;
  }

  // The browser may send what is said to its vendor: nothing is heard before the user has agreed to that.
  get allowed() {
    return localStorage.getItem(CONSENT) === "on";
  }

  allow() {
    localStorage.setItem(CONSENT, "on");
  }

  // What is said goes behind what stands there.
  start() {
    const before = this.composer.text.replace(/(\S)$/, "$1 ");
    const recognition = new Recognition();
    Object.assign(recognition, { lang: LOCALES[language], continuous: true, interimResults: true });
    recognition.onresult = ({ results }) => {
      if (recognition === this.#recognition) this.composer.write(before + heard(results));
    };
    recognition.onerror = ({ error }) => error !== "aborted" && this.on.notice(SPEECH.errors[error] ?? SPEECH.failed);
    recognition.onend = () => recognition === this.#recognition && this.#ended();
    this.#recognition = recognition;
    recognition.start();
    this.on.changed();
  }

  // What was understood so far stays.
  stop() {
    this.#recognition?.abort();
    if (this.listening) this.#ended();
  }

  #ended() {
    this.#recognition = null;
    this.on.changed();
  }
}

const heard = (results) => [...results].map(([best]) => best.transcript).join("");
