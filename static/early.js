// The box that is there before Gradio's (serving/first_paint.py): what was typed into it goes on in the real one.

// Its text, as soon as no input method composes in it; null where there is none.
export async function typedEarly() {
  const first = document.getElementById("lm-first");
  if (!first) return null;
  const area = first.querySelector("textarea");
  while ("composing" in first.dataset) await new Promise((done) => area.addEventListener("compositionend", done, { once: true }));
  first.remove();
  return area.value;
}
