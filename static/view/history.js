// Earlier turns, newest first: prompt and times in one line, the answers of all lanes behind it.
import { h, keyed, mounted, setData, setText, show } from "../dom.js";
import { currentTurn, running } from "../store.js";
import { HISTORY, LANES, LANE_STATUS, percent, seconds } from "../words.js";
import { renderAnswer } from "./answer.js";
import { laneStatus } from "./lane.js";

let on = {};

// handlers: edit(id) takes a turn and those after it back
export function offerHistory(handlers) {
  on = handlers;
}

const parts = mounted("lm-history", (host) => {
  const title = h("h2", { class: "lm-label" }, HISTORY.title);
  const list = h("div", { class: "lm-turns" });
  host.append(title, list);
  return { title, list };
});

export function renderHistory(state) {
  const view = parts();
  if (!view) return;
  const turns = state.turns.slice(0, -1).reverse();
  show(view.title, turns.length > 0);
  const idle = !running(currentTurn(state));
  keyed(view.list, turns, (turn) => turn.id, create, (node, turn) => update(node, turn, idle));
}

// Of a long chat only what is open is built, and only what is new is looked at.
const shown = new WeakMap();

function create({ id }) {
  const edit = h("button", { type: "button", class: "lm-small" }, HISTORY.edit);
  edit.addEventListener("click", () => on.edit(id));
  const tools = h("p", { class: "lm-bar-of-tools" }, edit, h("span", { class: "lm-caption" }, HISTORY.branch));
  const summary = h("summary", {}, h("span", { class: "lm-earlier-prompt", dir: "auto" }), h("span", { class: "lm-earlier-times" }));
  const node = h("details", { class: "lm-card lm-earlier" }, summary, h("div", { class: "lm-earlier-lanes" }), tools);
  node.addEventListener("toggle", () => unfold(node));
  return node;
}

function update(node, turn, idle) {
  const [summary, , tools] = node.children;
  if (tools.firstChild.disabled === idle) tools.firstChild.disabled = !idle;
  if (shown.get(node) === turn) return;
  shown.set(node, turn);
  setText(summary.children[0], turn.prompt.trim());
  setText(summary.children[1], times(turn));
  unfold(node);
}

function unfold(node) {
  const lanes = node.open ? Object.entries(shown.get(node).lanes) : [];
  keyed(node.children[1], lanes, ([name]) => name, createLane, updateLane);
}

function times(turn) {
  const measured = Object.entries(turn.lanes).filter(([, lane]) => lane.metrics);
  return measured.map(([name, lane]) => `${LANES[name].bar} ${seconds(lane.metrics.latency)}`).join(" · ");
}

function createLane([name]) {
  return h(
    "article",
    { class: "lm-pane", "aria-label": LANES[name].title, "data-lane": name },
    h("header", {}, h("h3", {}, LANES[name].title), h("span", { class: "lm-lane-status" })),
    h("div", { class: "lm-answer" }),
  );
}

function updateLane(node, [, lane]) {
  const [header, answer] = node.children;
  const status = laneStatus(lane);
  setData(node, "status", status);
  const reduction = lane.metrics?.reduction;
  const figures = lane.metrics ? seconds(lane.metrics.latency) : (LANE_STATUS[status] ?? "");
  setText(header.lastChild, reduction ? `${figures} (${percent(-reduction)})` : figures);
  renderAnswer(answer, lane.text);
}
