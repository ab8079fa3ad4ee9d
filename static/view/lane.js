// One lane's pane: its answer as it streams, a clock while it runs, what it cost when it is over.
import { copyText } from "../clipboard.js";
import { h, keyed, mounted, setData, setText, show } from "../dom.js";
import { differences } from "../difference.js";
import { AHEAD_LANES, currentTurn, isFinal } from "../store.js";
import { LANES, LANE_STATUS, PANE, rate, seconds } from "../words.js";
import { renderAnswer } from "./answer.js";
import { mark } from "./marks.js";

const COPIED_MS = 2000;

let on = {};

// handlers: stop(lane), retry(lane)
export function offerLanes(handlers) {
  on = handlers;
}

export const laneId = (name) => `lm-lane-${name}`;

export class LaneView {
  constructor(name) {
    this.name = name;
    this.parts = mounted(laneId(name), (host) => build(host, name));
  }

  // `compared`: whether words that the first lane does not say are marked
  render(state, now, visible, compared) {
    const view = this.parts();
    if (!view) return;
    const wrapper = document.getElementById(laneId(this.name));
    setData(wrapper, "shown", String(visible));
    if (!visible) return;
    const turn = currentTurn(state);
    const lane = turn?.lanes[this.name] ?? null;
    const status = laneStatus(lane);
    setData(view.pane, "status", status);
    view.pane.setAttribute("aria-busy", String(status === "reading" || status === "writing"));
    setText(view.status, LANE_STATUS[status] ?? "");
    renderAnswer(view.answer, lane?.text ?? "");
    show(view.legend, mark("drafted", view.answer, this.name, lane?.text ?? "", lane?.drafted ?? []));
    show(view.different, mark("different", view.answer, this.name, lane?.text ?? "", this.#differences(turn, lane, compared)));
    const focused = document.activeElement;
    show(view.copy, Boolean(lane?.text));
    show(view.stop, Boolean(lane) && !isFinal(lane) && !turn.done);
    show(view.retry, Boolean(lane) && turn.done && !turn.restored);
    keepFocus(view, focused);
    show(view.empty, !lane?.text || Boolean(lane.error));
    setText(view.empty, lane?.error ?? placeholder(status, this.name));
    this.#figures(view, lane, now);
  }

  // Told again only when one of the two texts has changed.
  #differences(turn, lane, compared) {
    const first = turn && Object.values(turn.lanes)[0];
    if (!compared || !lane || lane === first) return [];
    if (this.told?.text !== lane.text || this.told.other !== first.text) {
      this.told = { text: lane.text, other: first.text, spans: differences(lane.text, first.text) };
    }
    return this.told.spans;
  }

  #figures(view, lane, now) {
    const metrics = lane?.metrics ?? null;
    const elapsed = lane ? elapsedSeconds(lane, now) : null;
    show(view.head, elapsed !== null);
    setText(view.clock, elapsed === null ? "" : seconds(elapsed));
    setText(view.caption, metrics ? PANE.after : PANE.sofar);
    const reduction = metrics?.reduction ?? null;
    show(view.badge, reduction !== null && this.name !== "conventional");
    if (reduction !== null) {
      setText(view.badge, PANE.versus(reduction));
      setData(view.badge, "better", String(reduction > 0));
    }
    const rows = metrics ? figures(metrics, AHEAD_LANES.includes(this.name)) : soFar(lane);
    show(view.figures, rows.length > 0);
    keyed(view.figures, rows, ([label]) => label, figure, (node, [, value]) => setText(node.lastChild, value));
  }
}

// A button that goes away while it has the focus leaves it to the one that takes its place, or to the pane.
function keepFocus({ pane, copy, retry, stop }, focused) {
  const buttons = [stop, retry, copy];
  if (focused.hidden && buttons.includes(focused)) (buttons.find((button) => !button.hidden) ?? pane).focus();
}

function build(host, name) {
  const { title, hint } = LANES[name];
  const status = h("span", { class: "lm-lane-status" });
  const clock = h("span", { class: "lm-clock" });
  const caption = h("span", { class: "lm-caption" });
  const badge = h("span", { class: "lm-badge" });
  const head = h("div", { class: "lm-lane-time" }, clock, caption, badge);
  const answer = h("div", { class: "lm-answer" });
  const empty = h("p", { class: "lm-empty" });
  const legend = h("p", { class: "lm-legend" }, h("u", {}, PANE.underlined), PANE.drafted);
  const different = h("p", { class: "lm-legend-different" }, h("mark", {}, PANE.marked), PANE.different);
  const copy = h("button", { type: "button", class: "lm-small lm-copy", "aria-label": PANE.copyOf(title) }, PANE.copy);
  copy.addEventListener("click", () => copyAnswer(copy, answer));
  const [stop, retry] = ["stop", "retry"].map((act) => {
    const button = h("button", { type: "button", class: "lm-small", "aria-label": PANE[`${act}Of`](title), hidden: true }, PANE[act]);
    button.addEventListener("click", () => on[act](name));
    return button;
  });
  const list = h("dl", { class: "lm-figures" });
  const pane = h(
    "section",
    { class: "lm-pane", "aria-label": title, "data-lane": name, tabindex: "-1" },
    h("header", {}, h("h3", {}, title), status),
    h("p", { class: "lm-hint" }, hint),
    head,
    answer,
    empty,
    legend,
    different,
    h("div", { class: "lm-bar-of-tools" }, copy, retry, stop),
    list,
  );
  host.append(pane);
  return { pane, status, clock, caption, badge, head, answer, empty, legend, different, copy, retry, stop, figures: list };
}

// The answer as the model wrote it.
async function copyAnswer(button, answer) {
  await copyText(answer.answerText);
  setText(button, PANE.copied);
  setTimeout(() => setText(button, PANE.copy), COPIED_MS);
}

const figure = ([label]) => h("div", {}, h("dt", {}, label), h("dd", {}));

// "running" is told apart: before the first word the model reads, which looks stuck when it is not named.
export function laneStatus(lane) {
  if (!lane) return "idle";
  if (lane.status !== "running") return lane.status;
  return lane.text ? "writing" : "reading";
}

export function elapsedSeconds(lane, now) {
  if (lane.metrics) return lane.metrics.latency;
  if (lane.status !== "running" || lane.startedAt === null) return null;
  return Math.max(now - lane.startedAt, 0);
}

function placeholder(status, name) {
  return status === "idle" ? PANE.idle(LANES[name].title) : (PANE[status] ?? "");
}

// What drafting saved; nothing where it was off.
function lookahead({ tokens, kept_tokens: kept = 0, forwards, drafted_tokens: drafted }) {
  if (!drafted || !forwards) return [];
  const written = tokens - kept;
  const saved = Math.max(written - 1 - forwards, 0);
  return [[PANE.lookahead, PANE.forwards(written / forwards, saved)]];
}

// What the answer's cache holds at the end; token by token it would be a position for each.
function cache({ positions, kv_bytes: bytes, compression, prompt_tokens: read, tokens }) {
  if (!positions) return [];
  const saved = compression ? 1 - positions / (read + tokens) : null;
  return [[PANE.cache, PANE.cached(positions, (bytes / 1e6).toFixed(1), saved)]];
}

// While it writes: as far as it is known.
function soFar(lane) {
  if (lane?.firstAt == null || lane.startedAt === null) return [];
  const { from, to, tokens } = lane.written ?? { from: 0, to: 0 };
  const speed = to > from ? [[PANE.speed, rate(tokens / (to - from))]] : [];
  return [[PANE.first, seconds(lane.firstAt - lane.startedAt)], ...speed];
}

function figures(metrics, thinks) {
  const rows = [
    [PANE.first, seconds(metrics.ttft)],
    [PANE.complete, seconds(metrics.latency)],
    [PANE.speed, rate(metrics.tokens_per_s)],
    [PANE.answer, PANE.tokens(metrics.tokens)],
    ...lookahead(metrics),
    ...cache(metrics),
    [PANE.prompt, PANE.tokens(metrics.prompt_tokens)],
    [PANE.read, PANE.tokens(metrics.prefilled_after_submit)],
  ];
  if (!thinks) return rows;
  return [
    ...rows,
    [PANE.ready, PANE.tokens(metrics.ready_tokens)],
    [PANE.thought, `${seconds(metrics.thinking_s)} · ${PANE.tokens(metrics.thinking_tokens)}`],
    [PANE.wasted, PANE.tokens(metrics.wasted_tokens)],
    [PANE.waited, seconds(metrics.overhead_s)],
  ];
}
