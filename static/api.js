// The HTTP routes of the server, one function each. A refusal is thrown as ApiError, its message in the reader's language;
// status 0 means not reached.
import { healthInWords, inWords } from "./refusals.js";

const ROOT = new URL("../api/", import.meta.url);
const OFFLINE = { code: "offline" };

class ApiError extends Error {
  // error: {code, message} of docs/api.md, and what is told beside them
  constructor(status, error, retryAfter = 0) {
    super(inWords({ ...error, status }));
    this.status = status;
    this.code = error.code;
    this.revision = error.revision; // of a stale one: the newest
    this.retryAfter = retryAfter;
  }

  get offline() {
    return this.status === 0 || this.status >= 502;
  }
}

async function call(method, path, body) {
  const options = { method, cache: "no-store" };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(new URL(path, ROOT), options);
  } catch {
    throw new ApiError(0, OFFLINE);
  }
  if (!response.ok) throw await refusal(response);
  return response.status === 204 ? null : response.json();
}

async function refusal(response) {
  const body = await response.json().catch(() => ({}));
  return new ApiError(response.status, body.error ?? { code: "http_error" }, Number(response.headers.get("Retry-After")) || 0);
}

const of = (token, rest) => `sessions/${encodeURIComponent(token)}/${rest}`;

// models: the name of a pair that the server offers; the server's own by default
export const health = (models) => call("GET", models ? `health?models=${encodeURIComponent(models)}` : "health").then(healthInWords);
export const offeredOptions = () => call("GET", "options").then(({ options }) => options);
export const createSession = (options) => call("POST", "sessions", options ? { options } : {});
export const changeOptions = (token, options) => call("PATCH", of(token, "options"), options);
export const putDraft = (token, revision, text) => call("PUT", of(token, "draft"), { revision, text });
export const submit = (token, revision, text) => call("POST", of(token, "submit"), { revision, text });
export const stop = (token, lane) => call("POST", of(token, "stop"), lane ? { lane } : {});
export const retry = (token, lane) => call("POST", of(token, "retry"), { lane });
export const clear = (token, turns = []) => call("POST", of(token, "clear"), { turns });

export const sentences = (text, models) =>
  call("POST", "sentence-vae/sentences", { text, models }).then((found) => found.sentences);
export const between = (first, second, models) =>
  call("POST", "sentence-vae/between", { first, second, models }).then(({ texts }) => texts);

export const benchmark = () => call("GET", "benchmark");
export const startBenchmark = (prompts, options) => call("POST", "benchmark", { prompts, options });
export const cancelBenchmark = () => call("DELETE", "benchmark");
export const reportUrl = new URL("benchmark/report", ROOT).href;

export function eventsUrl(token, last) {
  const url = new URL(of(token, "events"), ROOT);
  if (last != null) url.searchParams.set("last", last);
  return url.href;
}

// Does the server know this session? Only the head of the answer is read.
export async function probe(token) {
  const abort = new AbortController();
  try {
    const response = await fetch(eventsUrl(token), { signal: abort.signal, cache: "no-store" });
    if (!response.ok) throw await refusal(response);
  } catch (error) {
    throw error instanceof ApiError ? error : new ApiError(0, OFFLINE);
  } finally {
    abort.abort();
  }
}
