// The page: joins the text box, the session's draft and event stream, and the views.
import * as api from "./api.js";
import { copyText } from "./clipboard.js";
import * as clock from "./clock.js";
import { Composer, boxRendered } from "./composer.js";
import { Draft } from "./draft.js";
import { acceptFiles } from "./drop.js";
import { Keeper } from "./keeper.js";
import { Options } from "./options/changes.js";
import * as link from "./options/link.js";
import { Session, memory } from "./session.js";
import { EMPTY, begun, currentTurn, fold, running } from "./store.js";
import { Stream } from "./stream.js";
import { Record } from "./timeline/record.js";
import { Typist } from "./typist.js";
import { keepChats } from "./view/chats.js";
import { askConsent } from "./view/consent.js";
import { openDrawer } from "./view/drawer.js";
import { furnishHeader, translateBlocks } from "./view/header.js";
import { showHelp } from "./view/help.js";
import { offerExamples } from "./view/intro.js";
import { offerTurn } from "./view/turn.js";
import { draw, isMoving } from "./view/page.js";
import { DRAWER, PAGE } from "./words.js";

const NOTICE_MS = 8000;
const HEALTH_MS = 1000;
const CLOCK_MS = 250; // often enough to look alive; on localhost every repaint takes from the model
const CONSENT = "livemind.typing"; // "off" outlives the tab

let state = EMPTY;
let record = new Record();
let offered = {}; // the options there are
let health = null;
let frame = 0;
let ticking = 0;
let noticeTimer = 0;
let starting = null;
let connected = false;
let sending = false; // once it is connected
let compared = false; // whether differences between answers are marked
const connection = { offline: false, sending: false, notice: "" };

const session = new Session();
const composer = new Composer({ change: typed, send, stop, again, help: showHelp, touched: () => typist.stop() });
const typist = new Typist(composer, send);
const stream = new Stream({ event: received, up, down });
const keeper = new Keeper({ changed: render, notice, open: goOn });
const options = new Options(sendOptions, { changed: optionsChanged, refused });
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
  furnishHeader(showHelp);
  translateBlocks();
  askConsent({ change: consent });
  offerExamples({ type: typeOut, write: (text) => composer.write(text) });
  acceptFiles({ text: (text) => composer.insert(text), notice });
  offerTurn({ again: askAgain, edit, compare });
  keepChats({
    open: (id) => keeper.open(id),
    rename: (id, title) => keeper.rename(id, title),
    remove,
    exportAll: () => keeper.exportAll(),
    exportFigures: (kind) => keeper.exportFigures(kind, state.turns),
    bring: (file) => keeper.bring(file),
  });
  const before = memory.get("draft");
  if (before && !composer.text) composer.write(before);
  render();
  watchHealth();
  offered = await reached(api.offeredOptions);
  openDrawer(offered, { change: choose, copy: copyLink, reset: resetOptions });
  const wanted = wantedOptions();
  const fresh = await reached(() => session.start(wanted));
  state = { ...state, options: session.options ?? (await reached(() => api.changeOptions(session.token, wanted ?? {}))).options };
  optionsChanged();
  state = begun(state, await keeper.start());
  if (fresh) await restore();
  stream.open(session.token);
  draft.resend(fresh ? "" : null);
  connected = true;
  composer.focus();
}

// Those of the address over the defaults, or those of before a reload; "off" for good is stronger than either.
function wantedOptions() {
  const { options: named, refused: unknown } = link.read(location.hash, offered);
  if (unknown.length) notice(DRAWER.refused(unknown));
  const usual = Object.fromEntries(Object.entries(offered).map(([name, one]) => [name, one.default]));
  const wanted = Object.keys(named).length ? { ...usual, ...named } : stored("options");
  return localStorage.getItem(CONSENT) === "off" ? { ...wanted, mode: "off" } : wanted;
}

// Asked again until the server is there.
async function reached(ask) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      refused(error);
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

// Nothing leaves before the options are known and allow it.
const mayType = () => (options.over(state.options)?.mode ?? "off") !== "off";

function typed(text) {
  memory.set("draft", text);
  if (session.token) draft.change(mayType() ? text : "");
  render();
}

async function send() {
  typist.stop();
  if (!composer.text.trim() || draft.submitting || sending) return;
  if (!connected) {
    notice(PAGE.connecting);
    sending = true;
    await starting;
    sending = false;
  }
  const text = composer.text;
  if (!text.trim()) return;
  notice("");
  const submitted = draft.submit(text, options.flush());
  composer.write("");
  try {
    await submitted;
  } catch (error) {
    composer.write(text + composer.text);
    refused(error);
  }
}

function stop() {
  typist.stop();
  if (session.token && running(currentTurn(state))) api.stop(session.token).catch(refused);
  render();
}

// The last prompt, to be changed and sent once more.
function again() {
  const last = currentTurn(state);
  if (last) composer.write(last.prompt);
}

// The newest turn is taken back; its prompt is in the box, before what was typed meanwhile.
async function edit() {
  const { prompt } = currentTurn(state);
  if (!(await goOn(state.turns.slice(0, -1)))) return false;
  composer.write(prompt);
  composer.focus();
  return true;
}

async function askAgain() {
  if (await edit()) send();
}

function compare() {
  compared = !compared;
  render();
}

function typeOut(text) {
  if (typist.typing) typist.stop();
  else typist.type(text);
  composer.focus();
  render();
}

async function newChat() {
  if (!session.token) return;
  typist.stop();
  try {
    await api.clear(session.token);
    keeper.begin();
    draft.clear();
    composer.write("");
    notice("");
    composer.focus();
  } catch (error) {
    refused(error);
  }
}

// An earlier chat is shown, and the next prompt goes on after it. Resolves to whether the server agreed.
async function goOn(turns) {
  if (!session.token) return false;
  typist.stop();
  const before = state;
  state = begun(state, turns);
  try {
    await api.clear(session.token, said(turns));
    record = new Record();
    draft.resend();
    return true;
  } catch (error) {
    state = before;
    refused(error);
    return false;
  }
}

// With the chat that is open go its turns; what is being typed stays.
async function remove(id) {
  const present = id === keeper.id;
  await keeper.remove(id);
  if (present) await goOn([]);
}

const said = (turns) =>
  turns.map(({ prompt, lanes }) => ({ prompt, answer: Object.values(lanes)[0].text })).filter(({ answer }) => answer.trim());

// A new session learns what was said in the one before.
async function restore() {
  if (state.turns.length) await api.clear(session.token, said(state.turns)).catch(refused);
}

// "Nothing while I type" is kept for good, so that no new tab and no link sends what this user did not mean to.
function choose(changes) {
  if (changes.mode) {
    localStorage.setItem(CONSENT, changes.mode === "off" ? "off" : "on");
    if (mayType()) memory.set("mode", options.over(state.options).mode);
  }
  options.change(changes);
}

const consent = (allowed) => choose({ mode: allowed ? (memory.get("mode") ?? "infer") : "off" });

async function sendOptions(changes) {
  const { options: now } = await api.changeOptions(session.token, changes);
  state = { ...state, options: now };
}

function optionsChanged() {
  const now = options.over(state.options);
  if (!now) return;
  memory.set("options", JSON.stringify(now));
  const fragment = link.write(now, offered);
  if (fragment !== location.hash.slice(1)) {
    history.replaceState(history.state, "", location.pathname + location.search + (fragment && `#${fragment}`));
  }
  typed(composer.text);
}

function resetOptions() {
  const { mode, ...others } = Object.fromEntries(Object.entries(offered).map(([name, one]) => [name, one.default]));
  options.change(mayType() ? { mode, ...others } : others);
}

async function copyLink() {
  await copyText(location.href);
  notice(DRAWER.copied);
}

// What the server says.

function received(event) {
  clock.see(event.at);
  state = fold(state, event);
  record.see(event);
  if (event.type === "error") notice(event.message);
  draft.see(state.revision);
  keeper.see(state.turns);
  render();
}

function up() {
  draft.hurry();
  if (!connection.offline) return;
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
    if (await session.renew(lost, options.over(state.options))) {
      clock.reset();
      record = new Record();
      state = { ...begun(state, state.turns), options: session.options };
      await restore();
      optionsChanged();
      notice(PAGE.renewed);
      stream.open(session.token);
      draft.resend();
    }
    return true;
  } catch (error) {
    refused(error);
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
  Object.assign(connection, changes);
  render();
}

function render() {
  frame ||= requestAnimationFrame(show);
}

function show() {
  frame = 0;
  const now = clock.now();
  const wanted = options.over(state.options);
  const typing = { typing: typist.typing, text: composer.text, compared };
  draw({ state, record, health, connection, keeper, options: wanted, allowed: mayType(), ...typing }, now);
  if (isMoving(state, now) && !ticking) ticking = setTimeout(() => ((ticking = 0), render()), CLOCK_MS);
}

window.addEventListener("online", () => {
  stream.hurry();
  draft.hurry();
});
window.addEventListener("offline", () => update({ offline: true }));
window.addEventListener("pageshow", (event) => event.persisted && stream.hurry());
window.addEventListener("resize", render);
window.addEventListener("hashchange", () => state.options && options.change(wantedOptions() ?? {}));

starting = start();

// For the page's Gradio components (ui/page.py).

export { newChat, send, stop };
export const changed = () => composer.look();
