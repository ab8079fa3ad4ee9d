// The time axis on the page: a picture that follows what happens, its tools, and details of what is pointed at.
import { h, mounted, setText, show } from "../dom.js";
import { paletteOf } from "../palette.js";
import { exportPng, exportSvg } from "../timeline/export.js";
import { ZOOM, listen } from "../timeline/gestures.js";
import { AXIS, ROW, heightOf, paint } from "../timeline/paint.js";
import { CanvasPen } from "../timeline/pens.js";
import { Pointed } from "../timeline/pointed.js";
import { Window } from "../timeline/window.js";
import { TIMELINE } from "../words.js";

let record = null;
let hits = [];
let frame = 0;
const axis = new Window();
const pointed = new Pointed();

const parts = mounted("lm-timeline", build);
const width = () => parts().stage.clientWidth;

// `time` is the session's, `running` says whether it goes on by itself.
export function renderTimeline(newest, time, running) {
  const view = parts();
  if (!view) return;
  record = newest;
  axis.see(record, time, running);
  show(view.section, !record.empty);
  if (!record.empty) draw(view);
}

function draw(view) {
  if (!width()) return;
  hits = paint(new CanvasPen(view.canvas, fit(view.canvas)), record, axis.view(width()), paletteOf(view.stage));
  setText(view.summary, TIMELINE.summary(...counts()));
  for (const button of view.follow) button.setAttribute("aria-pressed", String(button.dataset.window === axis.following));
  tell(view, pointed.find(hits));
}

// The canvas as large as its place, in the screen's own pixels; returns how many of them are one of the page.
function fit(canvas) {
  const [height, scale] = [heightOf(record), window.devicePixelRatio || 1];
  const size = [Math.round(width() * scale), Math.round(height * scale)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) {
    [canvas.width, canvas.height] = size;
    canvas.style.height = `${height}px`;
  }
  return scale;
}

const counts = () =>
  [record.submits, record.rows.segments, record.rows.notes, record.preempted].map((list) => list.length);

// Several movements within one frame are one picture.
function redraw() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    draw(parts());
  });
}

function tell({ details, stage }, hit) {
  show(details, Boolean(hit));
  if (!hit) return;
  const [title, ...lines] = TIMELINE.describe(hit.row, hit.item).filter(Boolean);
  if (details.textContent !== [title, ...lines].join("")) {
    details.replaceChildren(h("strong", {}, title), ...lines.map((line) => h("span", { dir: "auto" }, line)));
  }
  const room = stage.clientWidth - details.offsetWidth;
  details.style.left = `${Math.max(Math.min(hit.x, room), 0)}px`;
  details.style.top = `${hit.row === "submit" ? AXIS : hit.y + ROW + 2}px`;
}

// What is done by hand.

function zoom(factor, x = null) {
  axis.zoom(factor, width(), x);
  redraw();
}

function follow(name) {
  axis.follow(name);
  redraw();
}

function move(pixels) {
  axis.move(pixels, width());
  redraw();
}

function walk(rows, steps) {
  const item = pointed.walk(record, axis.view(width()), rows, steps);
  if (item) axis.bring(item);
  redraw();
}

function hover(x, y) {
  pointed.hover(hits, x, y);
  tell(parts(), pointed.find(hits));
}

function leave() {
  pointed.leave();
  tell(parts(), null);
}

// Building.

function build(host) {
  const buttons = ["prompt", "everything"].map((name) => {
    const button = tool(TIMELINE[name], null, () => follow(name));
    button.dataset.window = name;
    return button;
  });
  const title = h("h2", { class: "lm-label" }, TIMELINE.title);
  const summary = h("p", { class: "lm-caption", id: "lm-timeline-summary" });
  const hint = h("p", { class: "lm-caption lm-desktop", id: "lm-timeline-hint" }, TIMELINE.hint);
  const { stage, canvas, details } = buildStage();
  const tools = h("div", { class: "lm-bar-of-tools" }, title, ...buttons, ...buildTools());
  const section = h("section", { class: "lm-card lm-timeline", "aria-label": TIMELINE.title });
  section.append(tools, stage, legend(), summary, hint);
  host.append(section);
  return { section, stage, canvas, details, summary, follow: buttons };
}

function buildTools() {
  const save = (act) => () => act(record, axis.view(width()), paletteOf(parts().stage));
  return [
    tool("−", TIMELINE.farther, () => zoom(ZOOM)),
    tool("+", TIMELINE.closer, () => zoom(1 / ZOOM)),
    tool("PNG", TIMELINE.export("PNG"), save(exportPng)),
    tool("SVG", TIMELINE.export("SVG"), save(exportSvg)),
  ];
}

function tool(text, label, act) {
  const button = h("button", { type: "button", class: "lm-small", "aria-label": label, title: label }, text);
  button.addEventListener("click", act);
  return button;
}

function buildStage() {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const details = h("div", { class: "lm-tip", role: "status", hidden: true });
  const described = "lm-timeline-summary lm-timeline-hint";
  const attributes = { class: "lm-plane", tabindex: "0", role: "application", "aria-describedby": described };
  const stage = h("div", { ...attributes, "aria-label": TIMELINE.title }, canvas, details);
  listen(stage, { zoom, move, walk, hover, leave, everything: () => follow("everything") });
  new ResizeObserver(() => record && !record.empty && draw(parts())).observe(stage);
  return { stage, canvas, details };
}

function legend() {
  const key = (kind, text) => h("span", {}, h("i", { class: "lm-key", "data-kind": kind }), text);
  return h("p", { class: "lm-legend" }, ...["first", "rest", "bad", "enter"].map((kind) => key(kind, TIMELINE.legend[kind])));
}
