// The turn that the panes show: its prompt, what it saved, bars of all lanes, and the notes of before Enter.
import { h, keyed, mounted, setData, setText, show } from "../dom.js";
import { currentTurn, running, saving } from "../store.js";
import { LANES, TURN, seconds } from "../words.js";
import { elapsedSeconds, laneStatus } from "./lane.js";
import { renderList, spoken } from "./notes.js";

const STEPS = [2, 5, 10, 20, 40, 60, 120, 300, 600]; // seconds: the scale stands still while a bar grows

let on = {};

// handlers: again() asks once more, edit() takes the prompt back into the box, compare() marks differences or no more
export function offerTurn(handlers) {
  on = handlers;
}

const parts = mounted("lm-turn", (host) => {
  const prompt = h("p", { class: "lm-prompt-said", dir: "auto", tabindex: "0" });
  const headline = h("p", { class: "lm-headline" });
  const bars = h("ol", { class: "lm-bars", "aria-label": TURN.bars });
  const legend = h("p", { class: "lm-legend" });
  legend.append(key("before", TURN.before), key("first", TURN.first), key("rest", TURN.rest));
  const summary = h("summary", {});
  const list = h("ol", { class: "lm-notelist" });
  const notes = h("details", { class: "lm-thought" }, summary, list);
  const act = (name) => {
    const button = h("button", { type: "button", class: "lm-small" }, TURN[name]);
    button.addEventListener("click", () => on[name]());
    return button;
  };
  const [again, edit, compare] = ["again", "edit", "compare"].map(act);
  const section = h("section", { class: "lm-turn", "aria-label": TURN.title });
  const tools = h("div", { class: "lm-bar-of-tools" }, h("h2", { class: "lm-label" }, TURN.asked), again, edit, compare);
  section.append(h("div", {}, tools, prompt), h("div", { class: "lm-race" }, headline, bars, legend), notes);
  host.append(section);
  return { section, prompt, headline, bars, legend, notes, summary, list, again, edit, compare };
});

const key = (kind, text) => h("span", {}, h("i", { class: "lm-key", "data-kind": kind }), text);

// shown: whether nothing else is in its place
export function renderTurn(state, now, { shown, compared }) {
  const view = parts();
  if (!view) return;
  const turn = currentTurn(state);
  show(view.section, shown && turn !== null);
  if (!turn) return;
  setText(view.prompt, turn.prompt);
  view.again.disabled = view.edit.disabled = running(turn);
  view.compare.setAttribute("aria-pressed", String(compared));
  show(view.compare, Object.keys(turn.lanes).length > 1);
  setText(view.headline, headline(turn));
  setData(view.headline, "better", String((saving(turn)?.seconds ?? 0) > 0));
  renderBars(view, turn, now);
  const notes = spoken(turn.notes);
  show(view.notes, notes.length > 0);
  setText(view.summary, notes.some((note) => note.kind === "draft") ? TURN.drafts(notes.length) : TURN.notes(notes.length));
  renderList(view.list, notes, turn.segments);
}

export function headline(turn) {
  const saved = saving(turn);
  return saved ? TURN.headline(saved.seconds, saved.reduction) : "";
}

function renderBars(view, turn, now) {
  const bars = Object.entries(turn.lanes).map(([name, lane]) => measure(name, lane, now));
  const before = Math.max(...bars.map((bar) => bar.before));
  const longest = Math.max(...bars.map((bar) => bar.first + bar.rest), 0.001);
  const scale = before + (running(turn) ? STEPS.find((step) => step > longest) ?? longest : longest);
  const share = (value) => `${(100 * value) / scale}%`;
  keyed(view.bars, bars, (bar) => bar.name, createBar, (node, bar) => {
    const [, track, value] = node.children;
    const [thought, first, rest] = track.children;
    thought.style.left = share(before - bar.before);
    thought.style.width = share(bar.before);
    first.style.left = share(before);
    first.style.width = share(bar.first);
    rest.style.left = share(before + bar.first);
    rest.style.width = share(bar.rest);
    setData(node, "status", bar.status);
    setText(value, bar.text);
  });
}

function measure(name, lane, now) {
  const elapsed = elapsedSeconds(lane, now);
  const total = elapsed ?? 0;
  const first = lane.metrics?.ttft ?? (lane.firstAt === null ? total : lane.firstAt - lane.startedAt);
  return {
    name,
    status: laneStatus(lane),
    before: lane.metrics?.thinking_s ?? 0,
    first: Math.min(Math.max(first, 0), total),
    rest: Math.max(total - Math.max(first, 0), 0),
    text: barText(lane, elapsed),
  };
}

function barText(lane, elapsed) {
  if (lane.status === "queued") return TURN.waits;
  if (lane.status === "failed") return TURN.failed;
  const mark = { interrupted: " ⚠", stopped: " ■" }[lane.status] ?? "";
  return seconds(elapsed) + mark;
}

function createBar({ name }) {
  const piece = (kind) => h("i", { class: "lm-bar", "data-kind": kind });
  return h(
    "li",
    { class: "lm-bar-row", "data-lane": name },
    h("span", { class: "lm-bar-label" }, LANES[name].bar),
    h("span", { class: "lm-track", "aria-hidden": "true" }, piece("before"), piece("first"), piece("rest")),
    h("span", { class: "lm-bar-value" }),
  );
}
