// Buttons, selects and Components V2 of a message, by Discord's component types.
import { h } from "./dom.js";
import { hex } from "./embeds.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { markup } from "./markup.js";
import { fileCard, media } from "./media.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "secondary" };
export const SELECTS = [3, 5, 6, 7, 8];

const BUILDERS = {
  1: row,
  2: button,
  9: section,
  10: (part) => markup(part.html, "markup text-display"),
  11: (part) => media(resolve(part.media, part), "thumbnail"),
  12: gallery,
  13: (part) => fileCard(resolve(part.file, part)),
  14: (part) =>
    h("hr", { class: `separator spacing-${part.spacing ?? 1}${part.divider === false ? " bare" : ""}` }),
  17: container,
};
for (const type of SELECTS) BUILDERS[type] = selectButton;

export function components(message) {
  if (!message.components?.length) return null;
  return h(
    "div",
    { class: "components" },
    message.components.map((part) => build(part, message)),
  );
}

const build = (part, message) => BUILDERS[part.type]?.(part, message) ?? null;

function row(part, message) {
  return h(
    "div",
    { class: "action-row" },
    part.components.map((child) => build(child, message)),
  );
}

function button(part) {
  const content = [
    part.emoji?.name ? h("span", { class: "button-emoji" }, part.emoji.name) : null,
    part.label ? h("span", {}, part.label) : null,
  ];
  if (part.style === 5) {
    const href = /^https?:\/\//.test(part.url ?? "") ? part.url : undefined;
    return h(
      "a",
      { class: "button secondary", href, target: "_blank", rel: "noopener noreferrer nofollow" },
      content,
      icon("external", 14),
    );
  }
  return h(
    "button",
    {
      type: "button",
      class: `button ${STYLES[part.style] ?? "secondary"}`,
      disabled: Boolean(part.disabled),
      data: { action: "press", customId: part.custom_id, key: part.custom_id },
    },
    content,
    h("span", { class: "spinner", aria: { hidden: "true" } }),
  );
}

function selectButton(part) {
  const chosen = (part.options ?? []).filter((option) => option.default).map((option) => option.label);
  return h(
    "button",
    {
      type: "button",
      class: "select",
      disabled: Boolean(part.disabled),
      data: { action: "select", customId: part.custom_id, key: part.custom_id },
      aria: { haspopup: "listbox" },
    },
    h(
      "span",
      { class: chosen.length ? "select-value" : "select-placeholder" },
      chosen.join(", ") || part.placeholder || t("placeholder_select"),
    ),
    icon("chevron", 18),
    h("span", { class: "spinner", aria: { hidden: "true" } }),
  );
}

function section(part, message) {
  return h(
    "div",
    { class: "section" },
    h(
      "div",
      { class: "section-text" },
      part.components.map((child) => build(child, message)),
    ),
    part.accessory ? h("div", { class: "section-accessory" }, build(part.accessory, message)) : null,
  );
}

function gallery(part) {
  return h(
    "div",
    { class: `pictures count-${Math.min(part.items.length, 4)}` },
    part.items.map((item) => media(resolve(item.media, item))),
  );
}

function container(part, message) {
  const box = h(
    "div",
    { class: part.spoiler ? "container spoiler-media" : "container" },
    part.components.map((child) => build(child, message)),
  );
  if (Number.isInteger(part.accent_color)) box.style.setProperty("--bar", hex(part.accent_color));
  return box;
}

/** Read a file's name from its address. A message lists no attachment that a component shows. */
function fileName(reference) {
  const name = (reference?.url ?? "").split("?")[0].split("/").at(-1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function resolve(reference, part) {
  return {
    ...reference,
    filename: part.name ?? fileName(reference),
    size: part.size,
    description: part.description,
    spoiler: part.spoiler,
  };
}

/** The component with this custom id, wherever it is nested. */
export function findComponent(parts, customId) {
  for (const part of parts ?? []) {
    if (part.custom_id === customId) return part;
    const nested = findComponent(
      [part.component, part.accessory, ...(part.components ?? [])].filter(Boolean),
      customId,
    );
    if (nested) return nested;
  }
  return undefined;
}
