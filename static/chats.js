// Chats, kept in this browser only: {id, title, at, turns}. `at` is when it last changed, as ISO text.

const STORE = "chats";
const FORMAT = "livemind-chats";

const opened = new Promise((resolve, reject) => {
  const request = indexedDB.open("livemind", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
opened.catch(() => {}); // told by whoever asks for something

async function ask(mode, work) {
  const database = await opened;
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

export const newId = () => crypto.randomUUID?.() ?? Math.random().toString(36).slice(2);
export const get = (id) => ask("readonly", (store) => store.get(id));
export const put = (chat) => ask("readwrite", (store) => store.put(chat));
export const remove = (id) => ask("readwrite", (store) => store.delete(id));

// Newest first.
export async function all() {
  const chats = await ask("readonly", (store) => store.getAll());
  return chats.sort((one, other) => (one.at < other.at ? 1 : -1));
}

export const titleOf = (turns) => turns[0].prompt.trim().replace(/\s+/g, " ").slice(0, 80);
export const pack = (chats) => JSON.stringify({ format: FORMAT, version: 1, chats }, null, 1);

// The chats of a file, with ids of their own. Throws an Error that says what is wrong with it.
export function unpack(text) {
  const file = JSON.parse(text);
  if (file?.format !== FORMAT || file.version !== 1 || !Array.isArray(file.chats)) throw new Error("format");
  for (const { title, at, turns } of file.chats) {
    const whole = typeof title === "string" && typeof at === "string" && Array.isArray(turns) && turns.every(isTurn);
    if (!whole) throw new Error("chat");
  }
  return file.chats.map(({ title, at, turns }) => ({ id: newId(), title, at, turns }));
}

const isTurn = ({ prompt, lanes, notes, segments }) =>
  typeof prompt === "string" &&
  Array.isArray(notes) &&
  Array.isArray(segments) &&
  Object.values(lanes).every(isLane);

const isLane = ({ text, status, drafted, metrics }) =>
  typeof text === "string" && typeof status === "string" && Array.isArray(drafted) && (metrics == null || isMeasured(metrics));

// What every lane that ended has; others came with later versions.
const FIGURES = [
  ...["latency", "tokens", "tokens_per_s", "prompt_tokens", "prefilled_after_submit", "ready_tokens"],
  ...["thinking_s", "thinking_tokens", "wasted_tokens", "overhead_s"],
];
const isMeasured = (metrics) => FIGURES.every((name) => Number.isFinite(metrics[name]));
