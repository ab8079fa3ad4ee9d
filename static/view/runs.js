// The runs of this chat side by side: how long each lane took by the length of the prompt, and what that cost.
import { h, keyed, mounted, setText, show } from "../dom.js";
import { AHEAD_LANES } from "../store.js";
import { LANES, RUNS, percent, seconds } from "../words.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [520, 200, 44, 34, 12];
const FEWEST = 2; // runs that can be compared
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

const parts = mounted("lm-runs", (host) => {
  const plot = h("div", { class: "lm-plot" });
  const rows = h("tbody");
  const head = h("tr", {}, ...RUNS.columns.map((name) => h("th", { scope: "col" }, name)));
  const table = h("table", { class: "lm-runs-table" }, h("thead", {}, head), rows);
  const wide = h("div", { class: "lm-wide", tabindex: "0", role: "group", "aria-label": RUNS.title }, table);
  const title = h("h2", { class: "lm-label" }, RUNS.title);
  const section = h("section", { class: "lm-card lm-runs", "aria-label": RUNS.title, hidden: true }, title, plot, wide);
  host.append(section);
  return { section, plot, rows, ended: [] };
});

export function renderRuns(turns) {
  const view = parts();
  if (!view) return;
  const ended = turns.filter((turn) => turn.done);
  if (ended.length === view.ended.length && ended.every((turn, index) => turn === view.ended[index])) return;
  view.ended = ended;
  const lanes = byLane(ended);
  const most = Math.max(0, ...[...lanes.values()].map((runs) => runs.length));
  show(view.section, most >= FEWEST);
  if (most < FEWEST) return;
  view.plot.replaceChildren(plot(lanes));
  keyed(view.rows, [...lanes], ([name]) => name, row, update);
}

// Runs that ended by themselves and undisturbed: the only ones whose times can be compared.
function byLane(turns) {
  const lanes = new Map();
  for (const { prompt, lanes: ran } of turns) {
    for (const [name, { status, metrics }] of Object.entries(ran)) {
      if (status !== "done" || !metrics) continue;
      if (!lanes.has(name)) lanes.set(name, []);
      lanes.get(name).push({ length: prompt.length, ...metrics });
    }
  }
  return lanes;
}

// >>> median([3, 1, 2, 10])  →  2.5
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const row = ([name]) => h("tr", { "data-lane": name }, h("th", { scope: "row" }, LANES[name].bar), ...RUNS.columns.slice(1).map(() => h("td")));

function update(node, [name, runs]) {
  const known = (field) => runs.map((run) => run[field]).filter((value) => value != null);
  const middle = (field) => (known(field).length ? median(known(field)) : null);
  const reduction = name === "conventional" ? null : middle("reduction");
  const wasted = known("wasted_tokens").reduce((sum, tokens) => sum + tokens, 0);
  const cells = [
    String(runs.length),
    seconds(middle("ttft")),
    seconds(middle("latency")),
    reduction === null ? "–" : percent(-reduction),
    AHEAD_LANES.includes(name) ? String(wasted) : "–",
  ];
  cells.forEach((text, index) => setText(node.children[index + 1], text));
}

// Each run a point: to the right the length of the prompt, upwards the time to the complete answer.
function plot(lanes) {
  const runs = [...lanes.values()].flat();
  const [width, height] = [round(Math.max(...runs.map((run) => run.length))), round(Math.max(...runs.map((run) => run.latency)))];
  const x = (length) => LEFT + (length / width) * (WIDTH - LEFT - 12);
  const y = (latency) => HEIGHT - BOTTOM - (latency / height) * (HEIGHT - BOTTOM - TOP);
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": RUNS.described(runs.length) });
  for (const share of [0, 0.5, 1]) {
    svg.append(draw("line", { x1: LEFT, x2: WIDTH - 12, y1: y(share * height), y2: y(share * height), class: "lm-grid" }));
    svg.append(draw("text", { x: LEFT - 6, y: y(share * height) + 4, "text-anchor": "end" }, seconds(share * height)));
    svg.append(draw("text", { x: x(share * width), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, String(Math.round(share * width))));
  }
  svg.append(draw("text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 3, "text-anchor": "middle" }, RUNS.axis));
  for (const [name, points] of lanes) for (const run of points) svg.append(point(name, run, x(run.length), y(run.latency)));
  return svg;
}

// A shape of its own for each lane: colour is not the only difference.
function point(name, run, x, y) {
  const at = Object.keys(LANES).indexOf(name);
  const shapes = ["M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0", "M-5,-5h10v10h-10z", "M0,-6L6,5H-6z", "M0,-6L6,0L0,6L-6,0z", "M-5,-5L5,5M-5,5L5,-5", "M0,6L6,-5H-6z", "M-6,0H6M0,-6V6"];
  const path = draw("path", { d: shapes[at], transform: `translate(${x.toFixed(1)},${y.toFixed(1)})`, "data-lane": name });
  path.append(draw("title", {}, RUNS.point(name, run.length, run.latency)));
  return path;
}

function draw(tag, attributes, text = "") {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}

// The next round number: what an axis ends with.
const round = (value) => STEPS.find((step) => step >= value) ?? Math.ceil(value / 500) * 500;
