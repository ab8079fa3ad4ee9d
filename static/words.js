// How the page words states and numbers, in the reader's language: one file each in words/.

export { percent, rate, seconds } from "./numbers.js";

const KEY = "livemind.language";
export const LANGUAGES = { en: "English", zh: "中文", ja: "日本語" };
const wanted = [localStorage.getItem(KEY), ...navigator.languages.map((name) => name.slice(0, 2))];
export const language = wanted.find((name) => name in LANGUAGES) ?? "en";

// Everything the page holds outlives a reload, so that no view need know of a change.
export function speak(name) {
  localStorage.setItem(KEY, name);
  document.cookie = `livemind_language=${name}; max-age=31536000; samesite=lax`; // for the server's other pages
  location.reload();
}

const { default: words } = await import(`./words/${language}.js`);

export const { LANES, SEGMENTS, LANE_STATUS, MODEL_STATES, ROLES, MODELS, PAGE } = words;
export const { DROP, SPEECH, EXAMPLES, INTRO, CONSENT, DRAWER, OPTIONS, HELP } = words;
export const { CHATS, RUNS, BENCHMARK, INSPECTOR, ERRORS } = words;
export const { STATUS, TURN, PANE, NOTES, BEGUN, HISTORY, TABS, TIMELINE } = words;
