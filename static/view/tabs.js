// On a phone the panes are tabs: one lane at a time, its time on the tab.
import { h, keyed, mounted, setData, setText, show } from "../dom.js";
import { currentTurn, shownLanes } from "../store.js";
import { LANES, TABS, seconds } from "../words.js";
import { elapsedSeconds, laneId } from "./lane.js";

let chosen = "live";

const parts = mounted("lm-tabs", (host) => {
  const list = h("div", { class: "lm-tabs", role: "group", "aria-label": TABS.title });
  list.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) choose(button.dataset.key);
  });
  host.append(list);
  return { list };
});

function choose(name) {
  chosen = name;
  for (const lane of Object.keys(LANES)) {
    const pane = document.getElementById(laneId(lane));
    if (pane) setData(pane, "chosen", String(lane === chosen));
  }
  for (const button of parts()?.list.children ?? []) {
    button.setAttribute("aria-pressed", String(button.dataset.key === chosen));
  }
}

export function renderTabs(state, now) {
  const view = parts();
  if (!view) return;
  const lanes = shownLanes(state);
  const turn = currentTurn(state);
  show(view.list, lanes.length > 1);
  keyed(view.list, lanes, (name) => name, createTab, (node, name) => {
    const elapsed = turn ? elapsedSeconds(turn.lanes[name], now) : null;
    setText(node.lastChild, elapsed === null ? "" : seconds(elapsed));
  });
  choose(lanes.includes(chosen) ? chosen : lanes[0]);
}

const createTab = (name) =>
  h("button", { type: "button" }, h("span", {}, LANES[name].bar), h("span", { class: "lm-tab-time" }));
