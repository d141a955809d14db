// A bot's modal: text inputs, and labels around selects, files, radio buttons and checkboxes.
import { SELECTS } from "./components.js";
import { autosize, h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { markup } from "./markup.js";
import { choices } from "./selects.js";
import { nameOf, store } from "./store.js";
import { toast } from "./toast.js";

const ROW = 1;
const TEXT_INPUT = 4;
const TEXT_DISPLAY = 10;
const LABEL = 18;
const FILE_UPLOAD = 19;
const RADIO_GROUP = 21;
const CHECKBOX_GROUP = 22;
const CHECKBOX = 23;

let socket;

export function startModals(connection) {
  socket = connection;
  socket.addEventListener("modal", ({ detail }) => openModal(detail));
}

function openModal(modal) {
  const fields = [];
  const parts = modal.components.map((part) => layout(part, fields));
  const failure = h("p", { class: "failure", role: "alert", hidden: true }, t("interaction_failed"));
  const send = h(
    "button",
    { type: "submit", class: "button primary" },
    t("submit"),
    h("span", { class: "spinner" }),
  );
  const dialog = h("dialog", { class: "dialog", aria: { label: modal.title } });
  const form = h(
    "form",
    {},
    h(
      "header",
      { class: "dialog-head" },
      h("h2", {}, modal.title),
      h(
        "button",
        { type: "button", class: "icon-button", onclick: () => dialog.close(), aria: { label: t("close") } },
        icon("close"),
      ),
    ),
    h("p", { class: "dialog-note" }, nameOf(store.bot)),
    h("div", { class: "dialog-body" }, parts),
    failure,
    h(
      "footer",
      {},
      h("button", { type: "button", class: "button quiet", onclick: () => dialog.close() }, t("cancel")),
      send,
    ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.classList.add("waiting");
    failure.hidden = true;
    if (await submit(modal, fields)) dialog.close();
    else failure.hidden = false;
    send.classList.remove("waiting");
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  form.querySelectorAll("textarea").forEach((area) => autosize(area));
  dialog.querySelector(".dialog-body :is(input, textarea, select)")?.focus();
}

async function submit(modal, fields) {
  try {
    const values = Object.fromEntries(
      await Promise.all(fields.map(async ({ id, read }) => [id, await read()])),
    );
    await socket.request("submit_modal", { modal: modal.id, values });
    return true;
  } catch (refusal) {
    if (refusal.detail) toast(t("failed_action", { detail: refusal.detail }));
    return false;
  }
}

function layout(part, fields) {
  if (part.type === TEXT_DISPLAY) return markup(part.html ?? "");
  if (part.type === ROW) return part.components.map((child) => field(child, child.label, "", fields));
  if (part.type === LABEL) return field(part.component, part.label, part.description, fields);
  return null;
}

function field(part, label, description, fields) {
  const build = SELECTS.includes(part.type) ? select : BUILDERS[part.type];
  if (!build) return null;
  const { node, read } = build(part);
  fields.push({ id: part.custom_id, read });
  const isGroup = [RADIO_GROUP, CHECKBOX_GROUP].includes(part.type);
  return h(
    isGroup ? "fieldset" : "label",
    { class: "field" },
    h(
      isGroup ? "legend" : "span",
      { class: part.required === false ? "field-label" : "field-label required" },
      label,
    ),
    description ? h("small", { class: "field-help" }, description) : null,
    node,
  );
}

const BUILDERS = {
  [TEXT_INPUT]: (part) => {
    const limits = {
      placeholder: part.placeholder ?? "",
      required: part.required !== false,
      maxLength: part.max_length ?? 4000,
      minLength: part.min_length ?? 0,
    };
    const long = part.style === 2;
    const node = h(long ? "textarea" : "input", { ...limits, ...(long ? { rows: 4 } : { type: "text" }) });
    node.value = part.value ?? "";
    node.addEventListener("input", () => long && autosize(node));
    return { node, read: () => node.value };
  },
  [FILE_UPLOAD]: (part) => {
    const node = h("input", {
      type: "file",
      multiple: (part.max_values ?? 1) > 1,
      required: part.required !== false,
    });
    return {
      node,
      read: () => Promise.all([...node.files].map(async (file) => ({ upload: await socket.upload(file) }))),
    };
  },
  [RADIO_GROUP]: (part) => group(part, "radio", (values) => values[0] ?? null),
  [CHECKBOX_GROUP]: (part) => group(part, "checkbox", (values) => values),
  [CHECKBOX]: (part) => {
    const node = h("input", { type: "checkbox", checked: Boolean(part.default) });
    return { node, read: () => node.checked };
  },
};

function select(part) {
  const options = choices(part).map((option) =>
    h("option", { value: option.value, selected: Boolean(option.default) }, option.label),
  );
  const many = (part.max_values ?? 1) > 1;
  const empty = many ? null : h("option", { value: "" }, part.placeholder ?? t("placeholder_select"));
  const node = h("select", { multiple: many, required: part.required !== false }, empty, options);
  return { node, read: () => [...node.selectedOptions].map((option) => option.value).filter(Boolean) };
}

function group(part, type, shape) {
  const inputs = part.options.map((option) =>
    h("input", {
      type,
      name: part.custom_id,
      value: option.value,
      checked: Boolean(option.default),
      required: type === "radio" && part.required !== false,
    }),
  );
  const rows = part.options.map((option, at) =>
    h(
      "label",
      { class: "choice" },
      inputs[at],
      h("span", {}, option.label),
      option.description ? h("small", {}, option.description) : null,
    ),
  );
  return {
    node: h("div", { class: "choice-group" }, rows),
    read: () => shape(inputs.filter((input) => input.checked).map((input) => input.value)),
  };
}
