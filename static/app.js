// The page: joins the text box, the connection and the views.
import * as api from "./api.js";
import { Actions } from "./actions.js";
import { Benchmark } from "./benchmark.js";
import { Chat } from "./chat.js";
import * as clock from "./clock.js";
import { Composer, boxRendered } from "./composer.js";
import { exportFigures } from "./comparison/export.js";
import { Connection } from "./connection.js";
import { acceptFiles } from "./drop.js";
import { typedEarly } from "./early.js";
import { Frames } from "./frames.js";
import { Health } from "./health.js";
import { Keeper } from "./keeper.js";
import { Notices } from "./notices.js";
import { Preferences } from "./options/preferences.js";
import { inWords } from "./refusals.js";
import { memory } from "./session.js";
import { Speech } from "./speech.js";
import { Typist } from "./typist.js";
import { offerBenchmark } from "./view/benchmark.js";
import { offerInspector } from "./view/inspector.js";
import { keepChats } from "./view/chats.js";
import { askConsent } from "./view/consent.js";
import { openDrawer } from "./view/drawer.js";
import { furnishHeader, translateBlocks } from "./view/header.js";
import { helpByKey, showHelp } from "./view/help.js";
import { offerHistory } from "./view/history.js";
import { offerExamples } from "./view/intro.js";
import { offerLanes } from "./view/lane.js";
import { draw, isMoving } from "./view/page.js";
import { offerSpeech } from "./view/speech.js";
import { offerTurn } from "./view/turn.js";
import { PAGE } from "./words.js";

let compared = false; // whether differences between answers are marked

const frames = new Frames(show);
const render = () => frames.ask();
const chat = new Chat();
const notices = new Notices(render);
const notice = (text) => notices.tell(text);
const refused = (error) => notices.refused(error);
const health = new Health(render);
const benchmark = new Benchmark({ changed: render, refused });
const connection = new Connection({
  event: received,
  up: recovered,
  sending: (flag) => notices.set({ sending: flag }),
  offline: (flag) => notices.set({ offline: flag }),
  refused,
  wanted: () => preferences.now,
  renewed,
});
const composer = new Composer({
  change: typed,
  send: () => actions.send(),
  stop: () => actions.stop(),
  fresh: () => actions.newChat(),
  again: () => actions.recall(),
  help: helpByKey,
  touched: () => actions.takeOver(),
});
const typist = new Typist(composer, () => actions.send());
const speech = new Speech(composer, { changed: render, notice });
const keeper = new Keeper({ changed: render, notice, open: (turns) => actions.goOn(turns) });
const preferences = new Preferences(
  () => chat.state.options,
  async (changes) => chat.hold(await connection.configure(changes)),
  { changed: preferred, notice, refused },
);
const actions = new Actions({ chat, connection, composer, typist, speech, keeper, preferences, notices, render });

// Beginning.

async function start() {
  await boxRendered();
  furnish();
  const before = (await typedEarly()) ?? memory.get("draft");
  if (before && !composer.text) composer.write(before);
  composer.focus();
  render();
  health.watch();
  benchmark.watch();
  preferences.offered = await connection.reached(api.offeredOptions);
  openDrawer(preferences.offered, {
    change: (changes) => preferences.choose(changes),
    copy: () => preferences.copyLink(),
    reset: () => preferences.reset(),
  });
  const { fresh, options } = await connection.start(preferences.wanted());
  chat.hold(options);
  preferences.changed();
  chat.begin(await keeper.start());
  if (fresh) await actions.restore();
  connection.open(fresh);
  actions.connected = true;
  composer.focus();
}

// The views are told whom to call.
function furnish() {
  furnishHeader(showHelp);
  translateBlocks();
  askConsent({ change: (allowed) => preferences.consent(allowed) });
  offerExamples({ type: (text) => actions.typeOut(text), write: (text) => (composer.write(text), composer.focus()) });
  offerSpeech(speech);
  acceptFiles({ text: (text) => composer.insert(text), notice });
  offerLanes({ stop: (lane) => actions.stopLane(lane), retry: (lane) => actions.retryLane(lane) });
  offerHistory({ edit: (id) => actions.branch(id) });
  offerTurn({ again: () => actions.askAgain(), edit: () => actions.edit(), compare });
  offerInspector({
    sentences: (text) => api.sentences(text, health.models),
    between: (first, second) => api.between(first, second, health.models),
  });
  offerBenchmark({ start: (text) => benchmark.start(text, preferences.now ?? {}), cancel: () => benchmark.cancel() });
  keepChats({
    open: (id) => actions.open(id),
    rename: (id, title) => keeper.rename(id, title),
    remove: (id) => actions.remove(id),
    exportAll: () => keeper.exportAll(),
    exportFigures: (kind) => exportFigures[kind](chat.state.turns),
    bring: (file) => keeper.bring(file),
  });
}

function preferred() {
  const { models } = preferences.now;
  health.follow(models === preferences.offered.models.default ? undefined : models);
  typed(composer.text);
}

function typed(text) {
  memory.set("draft", text);
  if (connection.token) connection.draft.change(preferences.mayType ? text : "");
  render();
}

function compare() {
  compared = !compared;
  render();
}

// What the server says.

function received(told) {
  const event = told.type === "error" ? { ...told, message: inWords(told) } : told;
  chat.see(event);
  if (event.type === "error") notice(event.message);
  connection.draft.see(chat.state.revision);
  if (!chat.leaving) keeper.see(chat.state.turns);
  render();
}

function recovered() {
  if (!notices.offline) return;
  notices.set({ offline: false });
  if (health.ready) health.watch(); // another server may be there now
}

async function renewed(options) {
  chat.moved(options);
  await actions.restore();
  preferences.changed();
  notice(PAGE.renewed);
}

// Showing.

function show() {
  const now = clock.now();
  const typing = { typing: typist.typing, text: composer.text, compared };
  const wanted = { options: preferences.now, allowed: preferences.mayType };
  const known = { state: chat.state, record: chat.record, health: health.latest, benchmark: benchmark.status };
  draw({ ...known, notices, keeper, ...wanted, ...typing }, now);
  return isMoving(chat.state, now);
}

actions.connected = start();

// For the page's Gradio components (ui/page.py).

export const changed = () => composer.look();
