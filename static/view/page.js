// One picture of everything, drawn by all views.
import { ROLLBACK_SHOWN_S, currentTurn, draftShown, running, runningNote, shownLanes } from "../store.js";
import { LANES } from "../words.js";
import { renderBegun } from "./begun.js";
import { renderBenchmark } from "./benchmark.js";
import { renderChats } from "./chats.js";
import { renderConsent } from "./consent.js";
import { renderDrawer } from "./drawer.js";
import { renderHistory } from "./history.js";
import { renderInspector } from "./inspector.js";
import { renderIntro } from "./intro.js";
import { LaneView } from "./lane.js";
import { renderModels } from "./models.js";
import { renderNotes } from "./notes.js";
import { renderRuns } from "./runs.js";
import { renderSegments } from "./segments.js";
import { renderSpeech } from "./speech.js";
import { renderStatus } from "./status.js";
import { renderTabs } from "./tabs.js";
import { renderTimeline } from "./timeline.js";
import { renderTurn } from "./turn.js";

const COMPRESSIONS = 2; // sllm and hybrid

const panes = Object.keys(LANES).map((name) => new LaneView(name));

// page: {state, record, health, benchmark, notices, keeper, options, allowed, typing, text, compared}
export function draw(page, now) {
  const { state, record, health, benchmark, notices, keeper, options, allowed, typing, text, compared } = page;
  const turn = currentTurn(state);
  const visible = shownLanes(state);
  const known = options === null || allowed;
  const drafting = draftShown(state, now);
  renderIntro(!turn && !drafting, !text);
  renderModels(health);
  renderConsent(options, notices.sending);
  renderSpeech();
  renderSegments(state, now);
  renderNotes(state, now);
  renderBegun(state);
  renderStatus(state, { ...notices, allowed: known }, health);
  renderDrawer(options, unavailable(health), health?.limited_options ?? {}, health?.models ?? []);
  renderTurn(state, now, { shown: !drafting, compared });
  renderTabs(state, now);
  for (const pane of panes) pane.render(state, now, visible.includes(pane.name), compared);
  renderTimeline(record, now, running(turn) || runningNote(state) !== null);
  renderRuns(state.turns);
  renderBenchmark(benchmark);
  renderInspector(compresses(health));
  renderHistory(state);
  renderChats(keeper.list, keeper.id, state.turns.length > 0);
  const stop = document.querySelector("button#lm-stop");
  if (stop) stop.disabled = !running(turn) && !typing;
}

// By option: choices that the models do not have, and why.
const unavailable = (health) => ({ lanes: health?.unavailable ?? {}, ...health?.unavailable_choices });

// Do the models have a sentence codec?
function compresses(health) {
  const missing = health?.unavailable_choices?.sentence_vae;
  return missing !== undefined && Object.keys(missing).length < COMPRESSIONS;
}

// Does the picture change by time alone?
export function isMoving(state, now) {
  if (running(currentTurn(state)) || runningNote(state)) return true;
  return state.gone.some((note) => now - note.goneAt < ROLLBACK_SHOWN_S + 0.2);
}
