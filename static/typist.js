// Types a text into the composer as a person would: at a pace, unevenly, with a breath after each sentence.

const CHARS_PER_S = 8; // a fast typist, about 95 words a minute
const BREATH_S = 0.9;

export class Typist {
  #timer = 0;

  // composer: text, write(text); done() is called when all of it stands there
  constructor(composer, done) {
    this.composer = composer;
    this.done = done;
  }

  get typing() {
    return this.#timer !== 0;
  }

  type(text) {
    this.stop();
    this.composer.write("");
    this.#next(text, 0);
  }

  // What was typed so far stays.
  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #next(text, length) {
    this.#timer = setTimeout(() => {
      this.composer.write(text.slice(0, length));
      if (length < text.length) return this.#next(text, length + 1);
      this.#timer = 0;
      this.done();
    }, 1000 * pause(text, length));
  }
}

function pause(text, length) {
  const breath = /[.?!。？！]\s?$/.test(text.slice(0, length)) && length < text.length ? BREATH_S / 2 : 0;
  return (0.5 + Math.random()) / CHARS_PER_S + breath;
}
