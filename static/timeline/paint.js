// One picture of a record: rows of spans under one time axis, drawn with any pen of pens.js.
// Returns what can be pointed at: [{x, y, width, height, row, item}].
import { colorOf } from "../palette.js";
import { LANES, TIMELINE } from "../words.js";
import { place, pointsIn, ticks, visible } from "./scale.js";

export const AXIS = 24;
export const ROW = 28;
const BAR = 16; // of a row's height
const BIN = 3; // pixels of one bar of the typing row
const MARK = 5; // pixels from mark to mark
const MOST = 12; // characters that one change counts as: a paste would make all typing invisible

export const rowsOf = (record) => ["typing", "segments", "notes", "ahead", ...record.lanes];
export const heightOf = (record) => AXIS + rowsOf(record).length * ROW + 4;
const titleOf = (row) => LANES[row]?.bar ?? TIMELINE.rows[row];

// view: {from, to, origin, left, right, width, now}; palette: colours by name, and `font`
export function paint(pen, record, view, palette) {
  const scene = { pen, record, view, palette, x: place(view), hits: [], y: 0 };
  pen.rect(0, 0, view.width, heightOf(record), { color: palette.card });
  axis(scene);
  rowsOf(record).forEach((row, index) => {
    scene.y = AXIS + index * ROW;
    label(scene, row);
    pen.clip(view.left, scene.y, view.right - view.left, ROW);
    if (row === "typing") typing(scene);
    else bars(scene, row);
    pen.item(null);
    pen.unclip();
  });
  submits(scene);
  return scene.hits;
}

function axis({ pen, record, view, palette, x }) {
  const bottom = heightOf(record);
  for (const { at, text } of ticks(view)) {
    pen.rect(x(at), AXIS - 4, 1, bottom - AXIS, { color: palette.line });
    const room = Math.min(x(at) - view.left, view.right - x(at)) > 16;
    if (room) pen.text(x(at), AXIS / 2, text, { color: palette.muted, size: 11, anchor: "middle", font: palette.font });
  }
}

function label({ pen, view, palette, y }, row) {
  pen.rect(view.left, y + ROW - 1, view.right - view.left, 1, { color: palette.line });
  pen.text(0, y + ROW / 2, titleOf(row), { color: palette.text, size: 12, font: palette.font });
}

function typing(scene) {
  const { pen, record, view, palette, x, y } = scene;
  const bins = new Map();
  for (const point of pointsIn(record.typing, view)) {
    const index = Math.floor((x(point.at) - view.left) / BIN);
    const bin = bins.get(index) ?? { grown: 0, changes: 0, from: point.at, to: point.at, height: 0 };
    bin.grown += point.grown;
    bin.height += Math.min(point.grown, MOST);
    bin.changes += 1;
    bin.to = point.at;
    bins.set(index, bin);
  }
  const most = Math.max(1, ...[...bins.values()].map((bin) => bin.height));
  for (const [index, bin] of bins) {
    const height = Math.max((bin.height / most) * (ROW - 8), 3);
    const left = view.left + index * BIN;
    hit(scene, "typing", bin, left, BIN);
    pen.rect(left, y + ROW - 1 - height, BIN - 1, height, { color: palette.text });
  }
}

// Spans that would fall on pixels already drawn are left out: an hour costs no more than the window is wide.
function bars(scene, row) {
  const { record, view, x } = scene;
  let drawn = -Infinity;
  for (const span of visible(record.rows[row], view, view.now)) {
    const left = x(span.from);
    const right = Math.max(x(span.to ?? view.now), left + 2);
    if (right < drawn + 1) continue;
    bar(scene, row, span, left, right);
    drawn = right;
  }
}

function bar(scene, row, span, left, right) {
  const { pen, palette, y } = scene;
  if (LANES[row]) return lane(scene, row, span, left, right);
  const [fill, edge] = looks(row, span, palette);
  hit(scene, row, span, left, right - left);
  const top = y + (ROW - BAR) / 2;
  pen.rect(left, top, right - left, BAR, fill);
  if (edge && right - left > 3) pen.frame(left, top, right - left, BAR, edge);
  const number = row === "segments" ? span.number : row === "notes" ? span.index + 1 : span.tokens;
  if (right - left > 16 && !fill.hatched) note(scene, (left + right) / 2, String(number), edge ?? palette.text);
}

const note = ({ pen, palette, y }, x, text, color) =>
  pen.text(x, y + ROW / 2, text, { color, size: 11, anchor: "middle", bold: true, font: palette.font });

// [fill, edge and number]
function looks(row, span, palette) {
  const bad = [{ color: palette.bad, hatched: true }, palette.bad];
  if (row === "segments") return span.gone ? bad : [{ color: palette.well }, palette.muted];
  if (row === "notes") {
    if (["rolled-back", "dropped", "cut"].includes(span.status)) return bad;
    return span.kind === "wait" ? [{ color: palette.well }, palette.muted] : [{ color: palette["live-soft"] }, palette.live];
  }
  const color = colorOf(span.lane);
  return span.status === "discarded" ? bad : [{ color: palette[`${color}-soft`] }, palette[color]];
}

// Light until the first token, dark while it is written.
function lane(scene, row, span, left, right) {
  const { pen, palette, record, view, x, y } = scene;
  const color = colorOf(row);
  const first = span.first === null ? right : Math.min(Math.max(x(span.first), left), right);
  const top = y + (ROW - BAR) / 2;
  hit(scene, row, span, left, right - left);
  pen.rect(left, top, first - left, BAR, { color: palette[`${color}-soft`] });
  pen.rect(first, top, right - first, BAR, { color: palette[color] });
  pen.frame(left, top, right - left, BAR, palette[color]);
  if (!span.metrics) return;
  const text = TIMELINE.figures(span.metrics);
  const width = text.length * 6.3;
  const style = { size: 11, font: palette.font };
  const inside = right - first > width + 12;
  if (inside) pen.text(first + 6, y + ROW / 2, text, { ...style, color: palette.card });
  else if (right + width + 6 < view.right) pen.text(right + 6, y + ROW / 2, text, { ...style, color: palette.text });
  else if (left - width - 6 > x(turnStart(record, span))) pen.text(left - 6, y + ROW / 2, text, { ...style, color: palette.text, anchor: "end" });
}

const turnStart = (record, { turn }) => record.submits.find((submit) => submit.turn === turn)?.at ?? -Infinity;

function submits(scene) {
  const { pen, record, view, palette, x } = scene;
  const bottom = heightOf(record);
  for (const mark of pointsIn(record.submits, view)) {
    pen.item(() => TIMELINE.submit);
    pen.rect(x(mark.at), AXIS - 6, 2, bottom - AXIS + 2, { color: palette.good });
    pen.item(null);
    pen.text(x(mark.at) + 5, AXIS + 9, "⏎", { color: palette.good, size: 13, bold: true, font: palette.font });
    scene.hits.push({ x: x(mark.at) - 2, y: 0, width: 6, height: AXIS, row: "submit", item: mark });
  }
  const drawn = {};
  for (const mark of pointsIn(record.preempted, view)) {
    if (x(mark.at) < drawn[mark.row] + MARK) continue;
    drawn[mark.row] = x(mark.at);
    const y = AXIS + rowsOf(record).indexOf(mark.row) * ROW;
    pen.item(() => TIMELINE.preempted[mark.why]);
    pen.text(x(mark.at), y + 5, "▼", { color: palette.bad, size: 9, anchor: "middle", font: palette.font });
    pen.item(null);
  }
}

function hit(scene, row, item, x, width) {
  scene.hits.push({ x, y: scene.y, width, height: ROW, row, item });
  scene.pen.item(() => TIMELINE.describe(row, item).join("\n"));
}
