// Whether half-typed text may leave this browser, and whether it does.
import { h, mounted, setData, setText } from "../dom.js";
import { CONSENT } from "../words.js";

let on = { change() {} };

const parts = mounted("lm-consent", (host) => {
  const input = h("input", { type: "checkbox", role: "switch", id: "lm-consent-switch" });
  input.addEventListener("change", () => on.change(input.checked));
  const state = h("span", { class: "lm-consent-state" });
  host.append(h("label", { class: "lm-switch", for: "lm-consent-switch" }, input, CONSENT.label), state);
  return { host, input, state };
});

// handlers: change(allowed)
export function askConsent(handlers) {
  on = handlers;
}

export function renderConsent(options, sending) {
  const view = parts();
  if (!view || !options) return;
  const allowed = options.mode !== "off";
  if (view.input.checked !== allowed) view.input.checked = allowed;
  setData(view.state, "kind", allowed ? (sending ? "sending" : "open") : "closed");
  setText(view.state, allowed ? CONSENT.open : CONSENT.closed);
}
