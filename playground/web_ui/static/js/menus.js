// The menu of a message: reply, copy, and the application's message commands.
import { react } from "./actions.js";
import { composer } from "./composer.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { avatar, icon } from "./icons.js";
import { copy } from "./markup.js";
import { menu, popover } from "./popover.js";
import { store } from "./store.js";
import { localNotice } from "./timeline.js";
import { toast } from "./toast.js";

const MESSAGE_COMMAND = 3;
const USER_COMMAND = 2;
const QUICK_REACTIONS = ["👍", "❤️", "😂", "🎉"];

let socket;

export function startMenus(connection) {
  socket = connection;
}

export function openMessageMenu(message, event, anchor) {
  let close = () => {};
  const item = (label, picture, action) =>
    h(
      "button",
      { type: "button", role: "menuitem", class: "menu-item", onclick: () => (close(), action()) },
      h("span", {}, label),
      picture,
    );
  const commands = (type, target) =>
    store
      .usable(type)
      .map((command) => item(command.label, avatar(store.bot, "small"), () => run(command, message, target)));
  const onMessage = commands(MESSAGE_COMMAND, message.id);
  const onUser = commands(USER_COMMAND, message.author.id);
  const quick = (name) =>
    h(
      "button",
      {
        type: "button",
        role: "menuitem",
        class: "quick-reaction",
        onclick: () => (close(), react(message, name)),
        aria: { label: `${t("react")} ${name}` },
      },
      name,
    );
  const content = menu([
    h("div", { class: "quick-reactions", role: "presentation" }, QUICK_REACTIONS.map(quick)),
    item(t("reply"), icon("reply", 18), () => composer.replyTo(message)),
    message.content
      ? item(t("copy_text"), icon("copy", 18), () => copy(message.content).then(() => toast(t("copied"))))
      : null,
    onMessage.length || onUser.length
      ? h("div", { class: "menu-label", role: "presentation" }, icon("apps", 14), t("apps"))
      : null,
    onMessage,
    onUser,
  ]);
  const at = anchor ?? { x: event.clientX, y: event.clientY };
  close = popover(at, content, { className: "menu-box" });
  content.querySelector(".menu-item")?.focus();
}

async function run(command, message, target) {
  try {
    await socket.request("context_menu", {
      channel: message.channel_id,
      command: command.name,
      type: command.type,
      target,
    });
  } catch (refusal) {
    if (refusal.code === "offline") toast(t("offline_error"));
    else if (refusal.code === "no_response") localNotice(message.channel_id, command.label);
    else toast(t("failed_action", { detail: refusal.detail }));
  }
}
