// When the page is drawn: once a frame after something has changed, and at a slow pace while time alone changes it.

const CLOCK_MS = 250; // often enough to look alive; on localhost every repaint takes from the model

export class Frames {
  #frame = 0;
  #ticking = 0;

  // draw() → whether the picture changes by time alone
  constructor(draw) {
    this.draw = draw;
    window.addEventListener("resize", () => this.ask());
  }

  ask() {
    this.#frame ||= requestAnimationFrame(() => this.#show());
  }

  #show() {
    this.#frame = 0;
    if (!this.draw() || this.#ticking) return;
    this.#ticking = setTimeout(() => {
      this.#ticking = 0;
      this.ask();
    }, CLOCK_MS);
  }
}
