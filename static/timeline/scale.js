// Time and pixels of one view of the axis.

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const TICK_PX = 72; // between two labels at least
const SHORTEST_S = 0.05; // that the axis may show

// view: {from, to} in seconds, `left` and `right` in pixels
export const place = ({ from, to, left, right }) => (at) => left + ((at - from) / (to - from)) * (right - left);
export const timeAt = ({ from, to, left, right }, x) => from + ((x - left) / (right - left)) * (to - from);

// Moments to label, counted from `origin`: [{at, text}].
export function ticks({ from, to, left, right, origin }) {
  const least = ((to - from) * TICK_PX) / Math.max(right - left, 1);
  const step = STEPS.find((one) => one >= least) ?? Math.ceil(least / 3600) * 3600;
  const found = [];
  for (let n = Math.ceil((from - origin) / step); origin + n * step <= to; n++) {
    found.push({ at: origin + n * step, text: moment(n * step, step) });
  }
  return found;
}

// >>> moment(75, 5)  →  "1:15"
export function moment(seconds, step = 1) {
  const size = Math.abs(seconds);
  const sign = seconds < -1e-9 ? "−" : "";
  if (size < 60) return `${sign}${size.toFixed(step < 0.1 ? 2 : step < 1 ? 1 : 0)} s`;
  return `${sign}${Math.floor(size / 60)}:${(size % 60).toFixed(step < 1 ? 1 : 0).padStart(step < 1 ? 4 : 2, "0")}`;
}

// The window `factor` times as long, with `at` staying where it is, inside of `limits` with some room.
export function zoomed({ from, to }, factor, at, limits) {
  const longest = Math.max((limits.to - limits.from) * 1.1, 1);
  const length = Math.min(Math.max((to - from) * factor, SHORTEST_S), longest);
  const share = (at - from) / (to - from);
  return kept({ from: at - share * length, to: at + (1 - share) * length }, limits);
}

// Moved so that it still shows something.
export function kept({ from, to }, limits) {
  const length = to - from;
  const room = length * 0.05;
  const first = Math.min(limits.from - room, limits.to + room - length);
  const start = Math.min(Math.max(from, first), Math.max(limits.to + room - length, first));
  return { from: start, to: start + length };
}

// The spans of a row that reach into the view; rows are in the order of time.
export function visible(spans, { from, to }, end) {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle].to ?? end) < from) low = middle + 1;
    else high = middle;
  }
  let last = low;
  while (last < spans.length && spans[last].from <= to) last++;
  return spans.slice(low, last);
}

// The same for points {at}.
export function pointsIn(points, { from, to }) {
  const first = bisect(points, from);
  return points.slice(first, bisect(points, to));
}

function bisect(points, at) {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
