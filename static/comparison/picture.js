// One turn as a picture to show to others: the prompt, what was saved, a bar per lane, the answers side by side.
import { colorOf } from "../palette.js";
import { saving } from "../store.js";
import { CanvasPen } from "../timeline/pens.js";
import { LANES, LANE_STATUS, PANE, TURN, rate, seconds } from "../words.js";
import { wrapped } from "./wrap.js";

const SCALE = 2; // pixels of the PNG per pixel of the drawing
const [WIDTH, MARGIN, GAP] = [1120, 28, 20];
const [LINE, BAR, SMALL] = [20, 26, 13];
const LABEL = 150; // of a bar
const MOST = { prompt: 5, answer: 18 }; // lines

// An OffscreenCanvas; palette: as of palette.js
export function pictureOf(turn, palette) {
  const lanes = Object.entries(turn.lanes);
  const column = (WIDTH - 2 * MARGIN - GAP * (lanes.length - 1)) / lanes.length;
  const lines = (text, width, most) => wrapped(text, width, most, { size: SMALL + 1, font: palette.font });
  const prompt = lines(turn.prompt, WIDTH - 2 * MARGIN, MOST.prompt);
  const answers = lanes.map(([, { text, error }]) => lines(error ?? text, column, MOST.answer));
  const saved = saving(turn);
  const top = MARGIN + 30 + prompt.length * LINE + (saved ? 40 : 16);
  const below = top + lanes.length * BAR + 16;
  const height = below + 68 + Math.max(...answers.map((each) => each.length)) * LINE + MARGIN;
  const canvas = new OffscreenCanvas(WIDTH * SCALE, height * SCALE);
  const scene = { pen: new CanvasPen(canvas, SCALE), palette };
  scene.pen.rect(0, 0, WIDTH, height, { color: palette.card });
  heading(scene, prompt, saved);
  bars(scene, lanes, top);
  lanes.forEach(([name, lane], index) => answer(scene, name, lane, answers[index], MARGIN + index * (column + GAP), below, column));
  return canvas;
}

function write({ pen, palette }, x, y, text, { color = palette.text, size = SMALL + 1, ...rest } = {}) {
  pen.text(x, y, text, { color, size, font: palette.font, ...rest });
}

function heading(scene, prompt, saved) {
  write(scene, MARGIN, MARGIN, "LiveMind", { size: 18, bold: true });
  prompt.forEach((line, index) => write(scene, MARGIN, MARGIN + 30 + index * LINE, line));
  if (!saved) return;
  const color = scene.palette[saved.seconds > 0 ? "good" : "bad"];
  const y = MARGIN + 38 + prompt.length * LINE;
  write(scene, MARGIN, y, TURN.headline(saved.seconds, saved.reduction), { size: 20, bold: true, color });
}

// Light until the first word, dark while it is written.
function bars(scene, lanes, top) {
  const longest = Math.max(0.001, ...lanes.map(([, { metrics }]) => metrics?.latency ?? 0));
  const room = WIDTH - 2 * MARGIN - LABEL - 80;
  lanes.forEach(([name, { metrics, status }], index) => {
    const y = top + index * BAR;
    write(scene, MARGIN, y + 8, LANES[name].bar);
    if (!metrics) return write(scene, MARGIN + LABEL, y + 8, LANE_STATUS[status] ?? "");
    const color = colorOf(name);
    const [first, whole] = [metrics.ttft ?? metrics.latency, metrics.latency].map((value) => (value / longest) * room);
    scene.pen.rect(MARGIN + LABEL, y, first, 16, { color: scene.palette[`${color}-soft`] });
    scene.pen.rect(MARGIN + LABEL + first, y, Math.max(whole - first, 1), 16, { color: scene.palette[color] });
    write(scene, MARGIN + LABEL + whole + 8, y + 8, seconds(metrics.latency), { bold: true });
  });
}

function answer(scene, name, { metrics }, lines, x, y, width) {
  scene.pen.rect(x, y, width, 1, { color: scene.palette.line });
  write(scene, x, y + 20, LANES[name].title, { bold: true });
  const figures = metrics && `${PANE.first} ${seconds(metrics.ttft)} · ${PANE.tokens(metrics.tokens)} · ${rate(metrics.tokens_per_s)}`;
  write(scene, x, y + 40, figures ?? "", { size: SMALL - 1, color: scene.palette.muted });
  lines.forEach((line, index) => write(scene, x, y + 68 + index * LINE, line));
}
