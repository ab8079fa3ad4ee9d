// All options, from the one list of options/entries.js: a control, a line of help, and why it is off where it is.
import { h, mounted, setText, show } from "../dom.js";
import { ENTRIES, keyOf } from "../options/entries.js";
import { DRAWER, OPTIONS, ROLES } from "../words.js";
import { chosenModels } from "./models.js";

const CHOICES_SHOWN = 3; // more of them are a list to unfold

let on = { change() {}, copy() {}, reset() {} };
let latest = null;
let offered = null;

const parts = mounted("lm-options", (host) => {
  const body = h("div", { class: "lm-drawer", id: "lm-drawer", hidden: true });
  const state = { type: "button", class: "lm-small", "aria-expanded": "false", "aria-controls": "lm-drawer" };
  const toggle = h("button", state, DRAWER.title);
  const open = (flag) => {
    toggle.setAttribute("aria-expanded", String(flag));
    body.hidden = !flag;
  };
  toggle.addEventListener("click", () => open(body.hidden));
  // It lies over the page: nothing that has the focus may be below it.
  host.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !host.contains(relatedTarget) && open(false));
  document.addEventListener("pointerdown", ({ target }) => host.contains(target) || open(false));
  host.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || body.hidden) return;
    open(false);
    toggle.focus();
  });
  host.append(h("h2", { class: "lm-drawer-title" }, toggle), body);
  return { body, fields: null, models: chosenModels() };
});

// handlers: change(changes), copy(), reset()
export function openDrawer(options, handlers) {
  offered = options;
  on = handlers;
}

// unavailable: by option, choices that these models do not have, and why
// limited: by option, and by role of the model for which it does nothing, why
// models: [{role, name, state, detail}]
export function renderDrawer(options, unavailable, limited, models) {
  const view = parts();
  if (!view || !offered || !options) return;
  latest = options;
  view.fields ??= fill(view.body, view.models);
  view.models.set(models);
  for (const field of view.fields) update(field, options, unavailable, limited);
}

function fill(body, models) {
  body.append(models.node);
  const fields = ENTRIES.filter(({ name }) => name in offered && offered[name].choices?.length !== 1).map(build);
  models.choose(fields.filter((field) => field.entry.group === "models").map((field) => field.node));
  for (const group of Object.keys(DRAWER.groups)) {
    const nodes = fields.filter((field) => field.entry.group === group).map((field) => field.node);
    body.append(h("section", {}, h("h3", {}, DRAWER.groups[group]), ...nodes));
  }
  const button = (text, act) => {
    const made = h("button", { type: "button", class: "lm-small" }, text);
    made.addEventListener("click", act);
    return made;
  };
  body.append(h("p", { class: "lm-drawer-end" }, button(DRAWER.copy, () => on.copy()), button(DRAWER.reset, () => on.reset())));
  return fields;
}

function update({ entry, node, control, reason }, options, unavailable, limited) {
  control.set(entry.read ? entry.read(options) : options[entry.name]);
  const why = entry.off?.(options) ?? null;
  const missing = control.withhold?.(unavailable[entry.name] ?? {}) ?? [];
  const text = why ? DRAWER.off[why] : [...missing, ...forOne(limited[entry.name] ?? {})].join("\n");
  show(reason, text !== "");
  setText(reason, text);
  node.dataset.off = String(why !== null);
  control.disable(why !== null);
}

const forOne = (reasons) => Object.entries(reasons).map(([role, why]) => `${ROLES[role]}: ${why}`);

// Building a field.

function build(entry) {
  const id = `lm-option-${keyOf(entry)}`;
  const offer = offered[entry.name];
  const { label, help, values = titled(offer) } = OPTIONS[keyOf(entry)];
  const choices = entry.choices ?? offer.choices;
  const said = (value) => change(entry, value);
  const hint = h("p", { class: "lm-help", id: `${id}-help` }, help);
  const reason = h("p", { class: "lm-why", id: `${id}-why` });
  const described = { "aria-describedby": `${id}-help ${id}-why` };
  const kind = entry.input ?? (offer.kind === "choice" && choices.length > CHOICES_SHOWN ? "list" : offer.kind);
  const control = controls[kind]({ id, label, choices, values, offer, entry, said, described });
  const node = h("div", { class: "lm-option" }, control.node, hint, reason);
  return { entry, node, control, reason };
}

// Choices that only the server has words for.
const titled = ({ titles = {} }) =>
  Object.fromEntries(Object.entries(titles).map(([name, title]) => [name, title && title !== name ? `${name}: ${title}` : name]));

function change(entry, value) {
  on.change({ [entry.name]: entry.write ? entry.write(value, latest) : value });
}

const several = (type) => ({ id, label, choices, values, said, described }) => {
  const boxes = choices.map((value) => h("input", { type, name: id, value }));
  const node = h(
    "fieldset",
    described,
    h("legend", {}, label),
    ...boxes.map((box) => h("label", { class: "lm-choice" }, box, values[box.value] ?? box.value)),
  );
  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
  node.addEventListener("change", () => said(type === "radio" ? chosen()[0] : chosen()));
  return {
    node,
    set: (value) => boxes.forEach((box) => (box.checked = [value].flat().includes(box.value))),
    disable: (flag) => (node.disabled = flag),
    // What was chosen before can still be taken out. Returns why the others cannot be chosen.
    withhold: (unavailable) => {
      for (const box of boxes) box.disabled = box.value in unavailable && !box.checked;
      const missing = choices.filter((value) => value in unavailable);
      return missing.map((value) => `${values[value] ?? value}: ${unavailable[value]}`);
    },
  };
};

const labelled = (id, label, ...nodes) => h("div", { class: "lm-field" }, h("label", { for: id }, label), ...nodes);

function list({ id, label, choices, values, said, described }) {
  const select = h("select", { id, ...described });
  select.append(...choices.map((value) => h("option", { value }, values[value] ?? value)));
  select.addEventListener("change", () => said(select.value));
  return { node: labelled(id, label, select), set: (value) => (select.value = value), disable: (flag) => (select.disabled = flag) };
}

function number({ id, label, offer, entry, said, described }) {
  const step = entry.step ?? (offer.kind === "integer" ? 1 : "any");
  const high = Math.min(offer.high, Number.MAX_SAFE_INTEGER);
  const input = h("input", { id, type: "number", min: offer.low, max: high, step, placeholder: offer.optional ? DRAWER.none : null, ...described });
  input.addEventListener("change", () => {
    if (!input.checkValidity() || (input.value === "" && !offer.optional)) return input.reportValidity();
    said(input.value === "" ? null : Number(input.value));
  });
  // What is being typed is not overwritten.
  const set = (value) => document.activeElement !== input && (input.value = value ?? "");
  return { node: labelled(id, label, input), set, disable: (flag) => (input.disabled = flag) };
}

function slider({ id, label, offer, entry, said, described }) {
  const input = h("input", { id, type: "range", min: offer.low, max: offer.high, step: entry.step, ...described });
  const output = h("output", { for: id });
  const tell = () => setText(output, String(Number(input.value)));
  input.addEventListener("input", () => (tell(), said(Number(input.value))));
  const set = (value) => {
    input.value = value;
    tell();
  };
  return { node: labelled(id, label, input, output), set, disable: (flag) => (input.disabled = flag) };
}

function toggle({ id, label, said, described }) {
  const input = h("input", { id, type: "checkbox", ...described });
  input.addEventListener("change", () => said(input.checked));
  const node = h("label", { class: "lm-choice lm-toggle" }, input, label);
  let missing = false;
  return {
    node,
    set: (value) => (input.checked = value),
    disable: (flag) => (input.disabled = flag || missing),
    withhold: (unavailable) => {
      missing = "true" in unavailable && !input.checked;
      return Object.values(unavailable);
    },
  };
}

const controls = { choice: several("radio"), several: several("checkbox"), list, slider, number, integer: number, switch: toggle };
