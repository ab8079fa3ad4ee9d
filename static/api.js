// The HTTP routes of the server, one function each. A refusal is thrown as ApiError; status 0 means not reached.

const ROOT = new URL("../api/", import.meta.url);

export class ApiError extends Error {
  constructor(status, { code, message, revision }, retryAfter = 0) {
    super(message);
    this.status = status;
    this.code = code;
    this.revision = revision; // of a stale one: the newest
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
    throw new ApiError(0, { code: "offline", message: "The server cannot be reached." });
  }
  if (!response.ok) throw await refusal(response);
  return response.status === 204 ? null : response.json();
}

async function refusal(response) {
  const body = await response.json().catch(() => ({}));
  const error = body.error ?? { code: "http_error", message: `The server answered ${response.status}.` };
  return new ApiError(response.status, error, Number(response.headers.get("Retry-After")) || 0);
}

const of = (token, rest) => `sessions/${encodeURIComponent(token)}/${rest}`;

export const health = () => call("GET", "health");
export const offeredOptions = () => call("GET", "options").then(({ options }) => options);
export const createSession = (options) => call("POST", "sessions", options ? { options } : {});
export const changeOptions = (token, options) => call("PATCH", of(token, "options"), options);
export const putDraft = (token, revision, text) => call("PUT", of(token, "draft"), { revision, text });
export const submit = (token, revision, text) => call("POST", of(token, "submit"), { revision, text });
export const stop = (token, lane) => call("POST", of(token, "stop"), lane ? { lane } : {});
export const retry = (token, lane) => call("POST", of(token, "retry"), { lane });
export const clear = (token, turns = []) => call("POST", of(token, "clear"), { turns });

export const sentences = (text) => call("POST", "sentence-vae/sentences", { text }).then((found) => found.sentences);
export const between = (first, second) => call("POST", "sentence-vae/between", { first, second }).then(({ texts }) => texts);

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
    throw error instanceof ApiError ? error : new ApiError(0, { code: "offline", message: "The server cannot be reached." });
  } finally {
    abort.abort();
  }
}
