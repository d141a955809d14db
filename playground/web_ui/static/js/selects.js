// The list of a select menu: options, or people, roles and channels.
import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { avatar, icon } from "./icons.js";
import { popover } from "./popover.js";
import { nameOf, store } from "./store.js";

const USER_SELECT = 5;
const ROLE_SELECT = 6;
const MENTIONABLE_SELECT = 7;
const CHANNEL_SELECT = 8;

/** Open the list of a select menu. `done(values)` is called with the choice. */
export function openSelect(anchor, part, done) {
  const maxValues = part.max_values ?? 1;
  const chosen = new Set(
    choices(part)
      .filter((option) => option.default)
      .map((option) => option.value),
  );
  const box = h("div", {
    class: "select-list",
    role: "listbox",
    aria: { multiselectable: String(maxValues > 1), label: part.placeholder ?? t("placeholder_select") },
  });
  const finish = () => (close(), done([...chosen]));
  const toggle = (value) => {
    if (maxValues === 1) return (chosen.clear(), chosen.add(value), finish());
    if (!chosen.delete(value) && chosen.size < maxValues) chosen.add(value);
    draw();
  };
  const draw = () =>
    fill(
      box,
      choices(part).map((option) => row(option, chosen.has(option.value), maxValues, toggle)),
      maxValues > 1 ? doneButton(chosen.size >= (part.min_values ?? 1), finish) : null,
    );
  draw();
  box.addEventListener("keydown", moveFocus);
  const close = popover(anchor, box, { className: "select-box" });
  box.querySelector("button")?.focus();
}

export function choices(part) {
  if (part.type === CHANNEL_SELECT)
    return store
      .guildChannels()
      .map((channel) => ({ value: channel.id, label: channel.name, picture: () => icon("hash", 18) }));
  if (part.type === USER_SELECT || part.type === MENTIONABLE_SELECT)
    return [...store.users.values()].map((user) => ({
      value: user.id,
      label: nameOf(user),
      picture: () => avatar(user, "small"),
    }));
  if (part.type === ROLE_SELECT)
    return (store.guild.roles ?? []).map((role) => ({ value: role.id, label: role.name }));
  return part.options ?? [];
}

function row(option, selected, maxValues, toggle) {
  const emoji = option.emoji?.name ? h("span", { class: "button-emoji" }, option.emoji.name) : null;
  return h(
    "button",
    {
      type: "button",
      role: "option",
      class: "select-option",
      onclick: () => toggle(option.value),
      aria: { selected: String(selected) },
    },
    option.picture?.() ?? emoji,
    h(
      "span",
      { class: "select-text" },
      h("span", {}, option.label),
      option.description ? h("small", {}, option.description) : null,
    ),
    maxValues > 1
      ? h("span", { class: selected ? "tick on" : "tick" }, selected ? icon("check", 14) : null)
      : selected
        ? h("span", { class: "tick on" }, icon("check", 14))
        : null,
  );
}

const doneButton = (enough, finish) =>
  h(
    "button",
    { type: "button", class: "button primary", disabled: !enough, onclick: finish },
    t("select_done"),
  );

function moveFocus(event) {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  if (!step) return;
  event.preventDefault();
  document.activeElement?.[step]?.focus();
}
