// The box that is there before Gradio's (serving/first_paint.py): what was typed into it goes on in the real one.

// Its text, as soon as no input method composes in it; null where there is none.
export async function typedEarly() {
  const first = document.getElementById("lm-first");
  if (!first) return null;
  const area = first.querySelector("textarea");
  while ("composing" in first.dataset) {
    // On `first`, whose own listener takes the mark away, and once that has run.
    await new Promise((done) => first.addEventListener("compositionend", () => setTimeout(done), { once: true }));
  }
  first.remove();
  return area.value;
}
