// Earlier turns, newest first: prompt and times in one line, the answers of all lanes behind it.
import { h, keyed, mounted, setData, setText, show } from "../dom.js";
import { HISTORY, LANES, LANE_STATUS, percent, seconds } from "../words.js";
import { renderAnswer } from "./answer.js";
import { laneStatus } from "./lane.js";

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
  keyed(view.list, turns, (turn) => turn.id, create, update);
}

function create() {
  return h(
    "details",
    { class: "lm-card lm-earlier" },
    h("summary", {}, h("span", { class: "lm-earlier-prompt", dir: "auto" }), h("span", { class: "lm-earlier-times" })),
    h("div", { class: "lm-earlier-lanes" }),
  );
}

function update(node, turn) {
  const [summary, lanes] = node.children;
  setText(summary.children[0], turn.prompt.trim());
  setText(summary.children[1], times(turn));
  keyed(lanes, Object.entries(turn.lanes), ([name]) => name, createLane, updateLane);
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
