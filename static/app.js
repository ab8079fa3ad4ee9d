// The page: joins the text box, the session's draft and event stream, and the views.
import * as api from "./api.js";
import * as clock from "./clock.js";
import { Composer, boxRendered } from "./composer.js";
import { Draft } from "./draft.js";
import { Options, lanes } from "./options.js";
import { Session, memory } from "./session.js";
import { EMPTY, ROLLBACK_SHOWN_S, currentTurn, fold, renewed, running, runningNote, shownLanes } from "./store.js";
import { Stream } from "./stream.js";
import { Record } from "./timeline/record.js";
import { renderHistory } from "./view/history.js";
import { LaneView } from "./view/lane.js";
import { renderModels } from "./view/models.js";
import { renderNotes } from "./view/notes.js";
import { renderSegments } from "./view/segments.js";
import { renderStatus } from "./view/status.js";
import { renderTabs } from "./view/tabs.js";
import { renderTimeline } from "./view/timeline.js";
import { renderTurn } from "./view/turn.js";
import { LANES, PAGE } from "./words.js";

const NOTICE_MS = 8000;
const HEALTH_MS = 1000;
const CLOCK_MS = 250; // often enough to look alive; on localhost every repaint takes from the model

let state = EMPTY;
let record = new Record();
let health = null;
let frame = 0;
let ticking = 0;
let noticeTimer = 0;
let optionsKnown;
const optionsArrived = new Promise((resolve) => (optionsKnown = resolve));
const link = { offline: false, sending: false, notice: "" };
const panes = Object.keys(LANES).map((name) => new LaneView(name));

const session = new Session();
const composer = new Composer({ change: typed, send, stop });
const stream = new Stream({ event: received, up, down });
const options = new Options(sendOptions, refused);
const draft = new Draft(
  {
    put: (revision, text) => api.putDraft(session.token, revision, text),
    submit: (revision, text) => api.submit(session.token, revision, text),
    renew: () => renew(session.token),
  },
  {
    sending: (flag) => update({ sending: flag }),
    offline: (flag) => update({ offline: flag }),
    refused,
    revision: (number) => memory.set("revision", number),
  },
  Number(memory.get("revision") ?? 0),
);

// Beginning.

const stored = (name) => JSON.parse(memory.get(name) ?? "null");

async function start() {
  await boxRendered();
  const theme = localStorage.getItem("livemind.theme");
  if (theme) document.body.classList.toggle("dark", theme === "dark");
  const before = memory.get("draft");
  if (before && !composer.text) composer.write(before);
  render();
  watchHealth();
  const fresh = await opened();
  state = { ...state, options: session.options ?? stored("options") };
  optionsChanged();
  stream.open(session.token);
  draft.resend(fresh ? "" : null);
  composer.focus();
}

async function opened() {
  for (;;) {
    try {
      return await session.start(stored("options"));
    } catch (error) {
      if (error.offline) update({ offline: true });
      else refused(error);
      await new Promise((resolve) => setTimeout(resolve, error.retryAfter * 1000 || 1000));
    }
  }
}

async function watchHealth() {
  try {
    health = await api.health();
  } catch {
    health = null; // the stream says whether the server is there
  }
  render();
  if (health?.status !== "ready") setTimeout(watchHealth, HEALTH_MS);
}

// What the user does.

function typed(text) {
  memory.set("draft", text);
  if (session.token) draft.change(state.options?.mode === "off" ? "" : text);
}

async function send() {
  const text = composer.text;
  if (!text.trim()) return;
  if (draft.submitting) return;
  if (!session.token) return notice(PAGE.connecting);
  notice("");
  const submitted = draft.submit(text, options.flush());
  composer.write("");
  try {
    await submitted;
  } catch (error) {
    composer.write(text + composer.text);
    if (error.offline) update({ offline: true });
    else refused(error);
  }
}

function stop() {
  if (session.token && running(currentTurn(state))) api.stop(session.token).catch(refused);
}

async function newChat() {
  if (!session.token) return;
  try {
    await api.clear(session.token);
    draft.clear();
    composer.write("");
    state = { ...state, past: [] };
    notice("");
    composer.focus();
  } catch (error) {
    refused(error);
  }
}

async function sendOptions(changes) {
  const { options: now } = await api.changeOptions(session.token, changes);
  state = { ...state, options: now };
  optionsChanged();
}

// What the server says.

function received(event) {
  clock.see(event.at);
  state = fold(state, event);
  record.see(event);
  if (event.type === "state") optionsChanged();
  if (event.type === "error") notice(event.message);
  draft.see(state.revision);
  render();
}

function optionsChanged() {
  memory.set("options", JSON.stringify(state.options));
  optionsKnown();
  typed(composer.text);
  render();
}

function up() {
  draft.hurry();
  if (!link.offline) return;
  update({ offline: false });
  if (health?.status === "ready") watchHealth(); // another server may be there now
}

// The stream was lost: is the session still there?
async function down(token) {
  try {
    await api.probe(token);
  } catch (error) {
    if (error.code === "unknown_session") await renew(token);
    else update({ offline: true });
  }
}

async function renew(lost) {
  try {
    if (await session.renew(lost, state.options)) {
      clock.reset();
      record = new Record();
      state = renewed(state);
      notice(PAGE.renewed);
      stream.open(session.token);
      draft.resend();
    }
    return true;
  } catch (error) {
    if (error.offline) update({ offline: true });
    else refused(error);
    return false;
  }
}

// Showing.

function refused(error) {
  if (error.offline) update({ offline: true });
  else notice(error.message);
}

function notice(text) {
  clearTimeout(noticeTimer);
  if (text) noticeTimer = setTimeout(() => notice(""), NOTICE_MS);
  update({ notice: text });
}

function update(changes) {
  Object.assign(link, changes);
  render();
}

function render() {
  frame ||= requestAnimationFrame(draw);
}

function draw() {
  frame = 0;
  const now = clock.now();
  const visible = shownLanes(state);
  renderModels(health);
  renderSegments(state, now);
  renderNotes(state, now);
  renderStatus(state, link, health);
  renderTurn(state, now);
  renderTabs(state, now);
  for (const pane of panes) pane.render(state, now, visible.includes(pane.name));
  renderTimeline(record, now, running(currentTurn(state)) || runningNote(state) !== null);
  renderHistory(state);
  const stopButton = document.querySelector("button#lm-stop");
  if (stopButton) stopButton.disabled = !running(currentTurn(state));
  if (moving(now) && !ticking) ticking = setTimeout(() => ((ticking = 0), render()), CLOCK_MS);
}

// Does the picture change by time alone?
function moving(now) {
  return running(currentTurn(state)) || runningNote(state) || state.gone.some((note) => now - note.goneAt < ROLLBACK_SHOWN_S + 0.2);
}

function toggleDark() {
  const dark = document.body.classList.toggle("dark");
  localStorage.setItem("livemind.theme", dark ? "dark" : "light");
}

window.addEventListener("online", () => {
  stream.hurry();
  draft.hurry();
});
window.addEventListener("offline", () => update({ offline: true }));
window.addEventListener("pageshow", (event) => event.persisted && stream.hurry());
document.addEventListener("click", ({ target }) => {
  if (target instanceof Element && target.closest(".lm-dark")) toggleDark();
});

start();

// For the page's Gradio components (ui/page.py).

export { newChat, send, stop };
export const changed = () => composer.look();
export const option = (name, value) => options.change({ [name]: value });
export const laneOptions = (answeredBy, compared) => options.change({ lanes: lanes(answeredBy, compared) });

// The options as the server holds them, in the order of the page's components.
export async function optionValues() {
  await optionsArrived;
  const now = state.options;
  const live = ["live", "live-slm"];
  return [
    now.mode,
    now.format,
    now.granularity,
    now.min_length,
    live.find((lane) => now.lanes.includes(lane)) ?? "live",
    now.lanes.filter((lane) => !live.includes(lane)),
    now.temperature,
    now.max_tokens,
    now.note_tokens,
    now.lookahead,
  ];
}
