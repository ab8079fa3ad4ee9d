// What the server says, in the reader's language: by its code, and in the server's own words where none is known.
import { ERRORS } from "./words.js";

// said: {code, message}, and what else the server tells beside them
export function inWords(said) {
  const words = Object.hasOwn(ERRORS, said.code ?? "") ? ERRORS[said.code] : "{message}";
  const missing = [...words.matchAll(/\{(\w+)\}/g)].some(([, name]) => said[name] == null);
  return missing ? said.message : words.replace(/\{(\w+)\}/g, (_, name) => said[name]);
}

// The answer to GET /api/health with its reasons and details in words; `codes` names them by their text.
export function healthInWords({ codes = {}, ...health }) {
  const say = (text) => inWords({ code: codes[text], message: text });
  const sayAll = (reasons = {}) => Object.fromEntries(Object.entries(reasons).map(([name, text]) => [name, say(text)]));
  const sayEach = (options = {}) => Object.fromEntries(Object.entries(options).map(([name, reasons]) => [name, sayAll(reasons)]));
  return {
    ...health,
    models: health.models.map((model) => ({ ...model, detail: model.detail && say(model.detail) })),
    unavailable: sayAll(health.unavailable),
    unavailable_choices: sayEach(health.unavailable_choices),
    limited_options: sayEach(health.limited_options),
  };
}
