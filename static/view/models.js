// The models: what they are doing until they are ready, and in the options which ones they are.
import { h, keyed, mounted, setData, setText, show } from "../dom.js";
import { MODELS, MODEL_STATES, ROLES } from "../words.js";

const parts = mounted("lm-models", (host) => {
  const list = h("ul", { class: "lm-modellist", "aria-label": MODELS.list });
  host.append(list);
  return { list };
});

export function renderModels(health) {
  const view = parts();
  if (!view) return;
  const models = health && health.status !== "ready" ? health.models : [];
  show(view.list, models.length > 0);
  keyed(view.list, models, (model) => model.role, create, update);
}

// One line for the status region.
export function modelsInWords(health) {
  if (!health || health.status === "ready") return "";
  if (health.status === "failed") return MODELS.failed;
  return MODELS.loading;
}

// For the drawer: who answers, and the choice of others where the server offers some.
export function chosenModels() {
  const list = h("dl", { class: "lm-chosen" });
  const fixed = h("p", { class: "lm-help" }, MODELS.chosen);
  const node = h("section", { class: "lm-drawer-models" }, h("h3", {}, MODELS.list), list, fixed);
  const row = ({ role }) => h("div", {}, h("dt", {}, ROLES[role] ?? role), h("dd", {}));
  const tell = (one, { name, state, detail }) =>
    setText(one.lastChild, [name, state === "ready" ? detail : MODEL_STATES[state]].filter(Boolean).join(" – "));
  const choose = (fields) => fields.length && fixed.replaceWith(...fields);
  return { node, choose, set: (models) => keyed(list, models, ({ role }) => role, row, tell) };
}

function create() {
  return h(
    "li",
    { class: "lm-model" },
    h("span", { class: "lm-model-name" }),
    h("progress", { max: "1" }),
    h("span", { class: "lm-model-state" }),
  );
}

function update(node, { role, name, state, progress, detail }) {
  const [title, bar, words] = node.children;
  setData(node, "state", state);
  setText(title, `${ROLES[role] ?? role}: ${name}`);
  bar.setAttribute("aria-label", `${name}: ${MODEL_STATES[state]}`);
  show(bar, state === "fetching" || state === "loading");
  if (state === "fetching" && progress != null) bar.value = progress;
  else bar.removeAttribute("value");
  const done = state === "fetching" && progress != null ? ` ${Math.floor(progress * 100)} %` : "";
  setText(words, `${MODEL_STATES[state] ?? state}${done}${detail ? ` – ${detail}` : ""}`);
}
