// The time axis on the page: follows what happens, is moved and zoomed by hand, and goes out as PNG or SVG.
import { h, mounted, setText, show } from "../dom.js";
import { download } from "../download.js";
import { AXIS, ROW, heightOf, paint, rowsOf } from "../timeline/paint.js";
import { CanvasPen, SvgPen } from "../timeline/pens.js";
import { kept, timeAt, visible, zoomed } from "../timeline/scale.js";
import { TIMELINE } from "../words.js";

const WINDOWS = [10, 20, 30, 60, 120, 300, 600, 1200, 3600]; // seconds: the axis stands still while time goes on
const ZOOM = 1.4;
const NARROW = 560; // pixels of the picture
const NEAR = 3; // pixels beside a thing that still mean it
const PNG_SCALE = 2;

let record = null;
let now = 0;
let following = "prompt"; // or "everything", or null: the user chose
let chosen = { from: 0, to: 10 };
let selected = null; // {row, item}
let hits = [];
let moving = false;
const pointers = new Map();

const parts = mounted("lm-timeline", build);

// `time` is the session's, `running` says whether it goes on by itself.
export function renderTimeline(newest, time, running) {
  const view = parts();
  if (!view) return;
  record = newest;
  moving = running;
  now = running ? Math.max(time, record.end) : record.end;
  show(view.section, !record.empty);
  if (!record.empty) draw(view);
}

function draw(view) {
  const { canvas } = view;
  const [width, height, scale] = [canvas.parentElement.clientWidth, heightOf(record), window.devicePixelRatio || 1];
  if (!width) return;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  hits = paint(new CanvasPen(canvas, scale), record, seen(width), palette());
  setText(view.summary, TIMELINE.summary(...counts()));
  for (const button of view.follow) button.setAttribute("aria-pressed", String(button.dataset.window === following));
  point(view);
}

const counts = () =>
  [record.submits, record.rows.segments, record.rows.notes, record.preempted].map((list) => list.length);

// What the picture shows: the window, its place in pixels, and where time counts from.
function seen(width) {
  const left = width < NARROW ? 76 : 104;
  return { ...span(), origin: origin(), now, left, right: width - 8, width };
}

function span() {
  if (following === "everything") return padded(record.begin, Math.max(now, record.begin + 1));
  if (following === "prompt") return prompt();
  return chosen;
}

// The text that is being typed, or the newest that was sent.
function prompt() {
  const from = record.began ?? record.submits.at(-1)?.began ?? record.begin;
  const open = moving || record.began !== null;
  const length = Math.max(now - from, 0.5);
  return padded(from, from + (open ? WINDOWS.find((one) => one >= length) ?? length : length));
}

const padded = (from, to) => ({ from: from - (to - from) * 0.02, to: to + (to - from) * 0.02 });
const limits = () => ({ from: record.begin, to: Math.max(now, record.begin + 1) });
const origin = () => (following === "prompt" && record.began === null ? record.submits.at(-1)?.at : null) ?? record.begin;

// Colours are the page's own, so that light and dark need nothing here.
function palette() {
  const style = getComputedStyle(parts().stage);
  const names = ["card", "line", "well", "muted", "good", "bad", "live", "live-soft", "exact", "exact-soft"];
  const all = [...names, "conventional", "conventional-soft", "slm", "slm-soft"];
  const colors = all.map((name) => [name, style.getPropertyValue(`--lm-${name}`).trim()]);
  return { ...Object.fromEntries(colors), text: style.color, font: style.fontFamily };
}

// Building.

function build(host) {
  const follow = ["prompt", "everything"].map((name) =>
    h("button", { type: "button", class: "lm-small", "data-window": name }, TIMELINE[name]),
  );
  const tool = (text, label, act) => {
    const button = h("button", { type: "button", class: "lm-small", "aria-label": label, title: label }, text);
    button.addEventListener("click", act);
    return button;
  };
  for (const button of follow) button.addEventListener("click", () => look(button.dataset.window));
  const canvas = h("canvas", { "aria-hidden": "true" });
  const details = h("div", { class: "lm-tip", role: "status", hidden: true });
  const summary = h("p", { class: "lm-caption", id: "lm-timeline-summary" });
  const stage = h(
    "div",
    {
      class: "lm-stage",
      tabindex: "0",
      role: "application",
      "aria-label": TIMELINE.title,
      "aria-describedby": "lm-timeline-summary lm-timeline-hint",
    },
    canvas,
    details,
  );
  const section = h(
    "section",
    { class: "lm-card lm-timeline", "aria-label": TIMELINE.title },
    h(
      "div",
      { class: "lm-bar-of-tools" },
      h("h2", { class: "lm-label" }, TIMELINE.title),
      ...follow,
      tool("−", TIMELINE.farther, () => zoom(ZOOM)),
      tool("+", TIMELINE.closer, () => zoom(1 / ZOOM)),
      tool("PNG", TIMELINE.export("PNG"), exportPng),
      tool("SVG", TIMELINE.export("SVG"), exportSvg),
    ),
    stage,
    legend(),
    summary,
    h("p", { class: "lm-caption lm-desktop", id: "lm-timeline-hint" }, TIMELINE.hint),
  );
  host.append(section);
  listen(stage);
  new ResizeObserver(() => record && !record.empty && draw(parts())).observe(stage);
  return { section, stage, canvas, details, summary, follow };
}

function legend() {
  const key = (kind, text) => h("span", {}, h("i", { class: "lm-key", "data-kind": kind }), text);
  return h("p", { class: "lm-legend" }, ...["first", "rest", "bad", "enter"].map((kind) => key(kind, TIMELINE.legend[kind])));
}

function listen(stage) {
  stage.addEventListener("wheel", wheel, { passive: false });
  stage.addEventListener("pointerdown", (event) => grab(stage, event));
  stage.addEventListener("pointermove", drag);
  for (const name of ["pointerup", "pointercancel"]) {
    stage.addEventListener(name, ({ pointerId }) => pointers.delete(pointerId));
  }
  stage.addEventListener("pointerleave", () => select(null));
  stage.addEventListener("dblclick", (event) => zoom(1 / ZOOM ** 3, event.offsetX));
  stage.addEventListener("keydown", key);
}

// Moving.

const redraw = () => requestAnimationFrame(() => draw(parts()));
const width = () => parts().stage.clientWidth;

function look(name) {
  following = name;
  redraw();
}

function choose(next) {
  chosen = next;
  look(null);
}

function zoom(factor, x = null) {
  const view = seen(width());
  const at = x === null ? (view.from + view.to) / 2 : timeAt(view, x);
  choose(zoomed(view, factor, at, limits()));
}

function move(pixels) {
  const view = seen(width());
  const shift = (pixels * (view.to - view.from)) / (view.right - view.left);
  choose(kept({ from: view.from + shift, to: view.to + shift }, limits()));
}

function wheel(event) {
  if (event.ctrlKey || event.metaKey) zoom(Math.exp(event.deltaY * 0.004), event.offsetX);
  else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(event.deltaX || event.deltaY);
  else return; // the page scrolls
  event.preventDefault();
}

function grab(stage, event) {
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event.offsetX);
  if (event.pointerType !== "mouse") hover(event);
}

// One pointer moves the picture, two pinch it, none points at something.
function drag(event) {
  const before = pointers.get(event.pointerId);
  if (before === undefined) return hover(event);
  pointers.set(event.pointerId, event.offsetX);
  if (pointers.size === 1) return move(before - event.offsetX);
  const [other] = [...pointers].find(([id]) => id !== event.pointerId).slice(1);
  const apart = Math.max(Math.abs(event.offsetX - other), 1);
  zoom(Math.max(Math.abs(before - other), 1) / apart, (event.offsetX + other) / 2);
}

function key(event) {
  const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
  if (event.key === "+" || event.key === "=") zoom(1 / ZOOM);
  else if (event.key === "-") zoom(ZOOM);
  else if (event.key === "Home") look("everything");
  else if (steps[event.key]) walk(...steps[event.key]);
  else return;
  event.preventDefault();
}

// Details.

function hover({ offsetX: x, offsetY: y }) {
  const near = (hit) => x >= hit.x - NEAR && x <= hit.x + hit.width + NEAR && y >= hit.y && y <= hit.y + hit.height;
  const inside = (hit) => x >= hit.x && x <= hit.x + hit.width && y >= hit.y && y <= hit.y + hit.height;
  select(hits.findLast(inside) ?? hits.findLast(near) ?? null);
}

function select(hit) {
  selected = hit && { row: hit.row, item: hit.item };
  point(parts());
}

// From the one that is selected to the next in its row, or to the row above or below.
function walk(rows, steps) {
  const all = rowsOf(record).filter((row) => row !== "typing" && record.rows[row].length);
  if (!all.length) return;
  const row = all[Math.min(Math.max(all.indexOf(selected?.row) + rows, 0), all.length - 1)];
  const spans = record.rows[row];
  const at = row === selected?.row ? spans.indexOf(selected.item) + steps : spans.indexOf(visible(spans, span(), now)[0]);
  selected = { row, item: spans[Math.min(Math.max(at, 0), spans.length - 1)] };
  bring(selected.item);
}

function bring({ from, to }) {
  const shown = span();
  const length = shown.to - shown.from;
  if (from < shown.from || (to ?? now) > shown.to) choose(kept({ from: from - length * 0.2, to: from + length * 0.8 }, limits()));
  else redraw();
}

function point(view) {
  const hit = selected && hits.find((one) => one.row === selected.row && same(one.item, selected.item));
  show(view.details, Boolean(hit));
  if (!hit) return;
  const [title, ...lines] = TIMELINE.describe(hit.row, hit.item);
  const text = [title, ...lines].filter(Boolean).join("\n");
  if (view.details.textContent !== text.replaceAll("\n", "")) {
    view.details.replaceChildren(h("strong", {}, title), ...lines.filter(Boolean).map((line) => h("span", {}, line)));
  }
  const room = view.stage.clientWidth - view.details.offsetWidth;
  view.details.style.left = `${Math.max(Math.min(hit.x, room), 0)}px`;
  view.details.style.top = `${hit.row === "submit" ? AXIS : hit.y + ROW + 2}px`;
}

// A bar of the typing row is made anew with every picture.
const same = (one, other) => one === other || (one.changes !== undefined && one.from === other.from);

// Exporting what is shown.

async function exportPng() {
  const size = width();
  const canvas = new OffscreenCanvas(size * PNG_SCALE, heightOf(record) * PNG_SCALE);
  paint(new CanvasPen(canvas, PNG_SCALE), record, seen(size), palette());
  download("livemind-timeline.png", await canvas.convertToBlob({ type: "image/png" }));
}

function exportSvg() {
  const pen = new SvgPen(width(), heightOf(record), `LiveMind: ${TIMELINE.title}`);
  paint(pen, record, seen(width()), palette());
  download("livemind-timeline.svg", new Blob([pen.toString()], { type: "image/svg+xml" }));
}
