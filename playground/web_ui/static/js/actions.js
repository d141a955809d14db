// The actions of a person on messages: press, select, reply, dismiss, open a menu.
import { findComponent } from "./components.js";
import { composer } from "./composer.js";
import { element, h } from "./dom.js";
import { t } from "./i18n.js";
import { copy, onMarkupClick } from "./markup.js";
import { enlarge } from "./media.js";
import { openMessageMenu } from "./menus.js";
import { popover } from "./popover.js";
import { openSelect } from "./selects.js";
import { store } from "./store.js";
import { jumpTo } from "./timeline.js";
import { toast } from "./toast.js";

const LONG_PRESS_MS = 500;

let socket;

export function startActions(connection) {
  socket = connection;
  const chat = element("scroller");
  chat.addEventListener("click", onClick);
  chat.addEventListener("contextmenu", onContextMenu);
  chat.addEventListener("keydown", onKey);
  chat.addEventListener("pointerdown", onPointerDown);
}

const messageOf = (node) => {
  const row = node.closest?.("[data-message]");
  return row && store.message(row.dataset.message);
};

function onClick(event) {
  if (onMarkupClick(event)) return;
  const target = event.target.closest("[data-action]");
  if (target) ACTIONS[target.dataset.action]?.(target, messageOf(target), event);
}

const ACTIONS = {
  press: (button, message) => pressComponent(button, message, []),
  select: (button, message) => {
    const part = findComponent(message.components, button.dataset.customId);
    openSelect(button, part, (values) => pressComponent(button, message, values));
  },
  reply: (_, message) => composer.replyTo(message),
  "copy-text": (_, message) => copy(message.content).then(() => toast(t("copied"))),
  menu: (button, message, event) => openMessageMenu(message, event, button),
  dismiss: (_, message) => store.dismiss(message),
  jump: ({ dataset }) => jumpTo(dataset.id),
  "jump-over": ({ dataset }) => {
    if (!store.channels.has(dataset.channel)) return;
    if (store.current !== dataset.channel) store.show(dataset.channel);
    jumpTo(dataset.id);
  },
  options: (button, message) => showOptions(button, message.command),
  "open-channel": ({ dataset }) => store.channels.has(dataset.id) && store.show(dataset.id),
  react: ({ dataset }, message) => react(message, dataset.emoji),
  enlarge: ({ dataset }) => enlarge(dataset.url, dataset.name),
  picture: ({ dataset }) => composer.attachSample(dataset.name, dataset.prompt),
  sample: ({ dataset }) => composer.fillSample(dataset.command, dataset.prompt),
};

export const react = (message, emoji) =>
  socket.request("react", { channel: message.channel_id, message: message.id, emoji }).catch(() => {});

function showOptions(button, { label, options }) {
  const filled = options.map(({ name, value }) => [h("dt", {}, name), h("dd", {}, value)]);
  popover(button, [h("b", {}, label), h("dl", {}, filled)], { className: "used-options" });
}

/** Press a component. It waits for the application, and shows when there is no answer. */
async function pressComponent(button, message, values) {
  if (button.classList.contains("waiting")) return;
  button.classList.add("waiting");
  button.setAttribute("aria-busy", "true");
  try {
    await socket.request("click", {
      channel: message.channel_id,
      message: message.id,
      custom_id: button.dataset.customId,
      values,
    });
  } catch (refusal) {
    if (refusal.code === "offline") toast(t("offline_error"));
    else store.fail(message.id, t("interaction_failed"));
  } finally {
    button.classList.remove("waiting");
    button.removeAttribute("aria-busy");
  }
}

function onContextMenu(event) {
  const message = messageOf(event.target);
  if (!message || event.target.closest("a, img")) return;
  event.preventDefault();
  openMessageMenu(message, event);
}

function onKey(event) {
  const spoiler = event.target.closest(".spoiler");
  if (spoiler && (event.key === "Enter" || event.key === " ") && onMarkupClick(event)) return;
  const isMenuKey = event.key === "ContextMenu" || (event.shiftKey && event.key === "F10");
  const message = isMenuKey && messageOf(event.target);
  if (!message) return;
  event.preventDefault();
  openMessageMenu(message, event, event.target);
}

/** A long press on a touch screen is a right click. */
function onPointerDown(event) {
  const message = event.pointerType === "touch" && messageOf(event.target);
  if (!message) return;
  const timer = setTimeout(() => openMessageMenu(message, event), LONG_PRESS_MS);
  const stop = () => clearTimeout(timer);
  for (const kind of ["pointerup", "pointercancel", "pointermove"])
    window.addEventListener(kind, stop, { once: true });
}
