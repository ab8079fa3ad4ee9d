// The sentence codec at work: what comes back of a text's sentences, their latents as pictures, and what lies
// between two sentences.
import { h, mounted, setText, show } from "../dom.js";
import { INSPECTOR } from "../words.js";

const WIDE = 32; // numbers in a row of a picture
const FULL = 2.5; // a latent's numbers spread by 1; beyond this the colour stays

let on = {};

// handlers: sentences(text) → [{text, said, tokens, right, latents}], between(first, second) → [text]
export function offerInspector(handlers) {
  on = handlers;
}

const parts = mounted("lm-inspector", (host) => {
  const first = field("lm-inspected", INSPECTOR.first, INSPECTOR.example);
  const second = field("lm-inspected-other", INSPECTOR.second, INSPECTOR.other);
  const told = h("p", { class: "lm-caption", role: "status" });
  const sentences = h("ol", { class: "lm-inspected", "aria-label": INSPECTOR.returned });
  const steps = h("ol", { class: "lm-between", "aria-label": INSPECTOR.between });
  const view = { first: first.input, second: second.input, told, sentences, steps };
  const encode = button(INSPECTOR.encode, () => asked(view, () => on.sentences(first.input.value), showSentences));
  const blend = button(INSPECTOR.blend, () => asked(view, () => on.between(first.input.value, second.input.value), showSteps));
  const section = h("details", { class: "lm-card lm-inspector", hidden: true });
  section.append(
    h("summary", {}, INSPECTOR.title),
    h("p", { class: "lm-caption" }, INSPECTOR.hint),
    first.node,
    h("div", { class: "lm-bar-of-tools" }, encode),
    sentences,
    second.node,
    h("div", { class: "lm-bar-of-tools" }, blend, told),
    steps,
  );
  host.append(section);
  return { ...view, section };
});

export function renderInspector(available) {
  const view = parts();
  if (view) show(view.section, available);
}

function field(id, label, value) {
  const input = h("textarea", { id, rows: "2", dir: "auto", maxlength: "2000" });
  input.value = value;
  return { input, node: h("div", {}, h("label", { for: id }, label), input) };
}

function button(text, act) {
  const made = h("button", { type: "button", class: "lm-small" }, text);
  made.addEventListener("click", act);
  return made;
}

async function asked(view, ask, showAnswer) {
  setText(view.told, INSPECTOR.computing);
  try {
    showAnswer(view, await ask());
    setText(view.told, "");
  } catch (error) {
    setText(view.told, error.message);
  }
}

function showSentences(view, sentences) {
  view.sentences.replaceChildren(...sentences.map(sentence));
}

function sentence({ said, tokens, right, latents }) {
  const pictures = latents.map((numbers, index) => picture(numbers, INSPECTOR.latent(index + 1, latents.length)));
  return h(
    "li",
    {},
    h("p", { class: "lm-said", dir: "auto" }, said),
    h("p", { class: "lm-caption" }, INSPECTOR.right(right, tokens, latents.length)),
    h("div", { class: "lm-latents" }, ...pictures),
  );
}

function showSteps(view, texts) {
  view.steps.replaceChildren(...texts.map((text) => h("li", { dir: "auto" }, text)));
}

// Above 0 in one colour, below it in the other, the farther the fuller.
function picture(numbers, label) {
  const canvas = h("canvas", { role: "img", "aria-label": label, width: WIDE, height: Math.ceil(numbers.length / WIDE) });
  const pen = canvas.getContext("2d");
  const pixels = pen.createImageData(canvas.width, canvas.height);
  numbers.forEach((number, index) => {
    const share = Math.min(Math.abs(number) / FULL, 1);
    const color = number > 0 ? [214, 90, 40] : [40, 110, 200];
    pixels.data.set([...color, 255 * share], 4 * index);
  });
  pen.putImageData(pixels, 0, 0);
  return canvas;
}
