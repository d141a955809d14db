// Builds the element of one message from Discord's JSON. The server adds rendered HTML to each text.
import { components } from "./components.js";
import { h } from "./dom.js";
import { embeds } from "./embeds.js";
import { t } from "./i18n.js";
import { avatar, icon } from "./icons.js";
import { markup } from "./markup.js";
import { attachments } from "./media.js";
import { COMPONENTS_V2, EPHEMERAL, LOADING, nameOf, store } from "./store.js";
import { clock, dayNumber, messageTime } from "./time.js";

const GROUP_MS = 7 * 60_000;
const DEFAULT_TYPES = [0, 19, 20, 23]; // plain, reply, slash command, context menu
const THREAD_CREATED = 18;
const THREAD_STARTER = 21;

const isCompact = (message, before) =>
  before &&
  before.author.id === message.author.id &&
  !startsAnew(message) &&
  !startsNewDay(message, before) &&
  (before.flags & EPHEMERAL) === (message.flags & EPHEMERAL) &&
  new Date(message.timestamp) - new Date(before.timestamp) < GROUP_MS;

const startsAnew = (message) =>
  Boolean(
    message.referenced_message ||
    message.message_reference ||
    message.command ||
    message.type === THREAD_CREATED,
  );

export const startsNewDay = (message, before) =>
  !before || dayNumber(new Date(message.timestamp)) !== dayNumber(new Date(before.timestamp));

/** The message's row; `before` is the message above it. */
export function messageRow(message, before) {
  if (message.type === THREAD_CREATED) return threadNotice(message);
  if (message.type === THREAD_STARTER && message.referenced_message)
    return messageRow({ ...message.referenced_message, id: message.id }, before);
  const compact = isCompact(message, before);
  const mentioned = message.mentions.some((user) => user.id === store.me.id);
  const classes = [
    "message",
    compact && "compact",
    message.flags & EPHEMERAL && "ephemeral",
    mentioned && "mentioned",
  ];
  return h(
    "li",
    {
      class: classes.filter(Boolean).join(" "),
      id: `m-${message.id}`,
      tabIndex: -1,
      data: { message: message.id, key: compact ? "compact" : "full" },
    },
    origin(message),
    h(
      "div",
      { class: "gutter" },
      compact ? h("time", { class: "gutter-time" }, clock(message.timestamp)) : avatar(author(message)),
    ),
    h("div", { class: "message-main" }, compact ? null : header(message), body(message)),
    actions(),
  );
}

const author = (message) => store.users.get(message.author.id) ?? message.author;

function header(message) {
  const user = author(message);
  return h(
    "div",
    { class: "message-header" },
    h("span", { class: "author" }, nameOf(user)),
    user.bot ? h("span", { class: "app-tag" }, icon("check", 10), t("app")) : null,
    h("time", { class: "when", datetime: message.timestamp }, messageTime(message.timestamp)),
  );
}

/** The line above a message: the message it replies to, or the command it answers. */
function origin(message) {
  if (message.command) {
    return originLine(message.command.user, [
      h("span", {}, t("used", { command: "" })),
      usedCommand(message.command),
    ]);
  }
  const replied = message.referenced_message;
  if (replied) {
    return originLine(replied.author, [quoted(replied)]);
  }
  if (message.type === 19)
    return h("div", { class: "origin" }, h("span", { class: "quoted" }, t("deleted_reply")));
  return null;
}

/** The name of the command. A click shows its options, as on Discord. */
function usedCommand({ label, options = [] }) {
  if (!options.length) return h("span", { class: "used-command" }, label);
  return h(
    "button",
    { type: "button", class: "used-command", title: t("show_options"), data: { action: "options" } },
    label,
  );
}

function quoted(message) {
  const button = h("button", { type: "button", class: "quoted", data: { action: "jump", id: message.id } });
  button.append(markup(message.preview_html, "quoted-text", "span"));
  return button;
}

function originLine(user, rest) {
  const known = store.users.get(user.id) ?? user;
  return h(
    "div",
    { class: "origin" },
    avatar(known, "small"),
    h("span", { class: "origin-name" }, nameOf(known)),
    rest,
  );
}

function body(message) {
  const parts = [
    message.flags & LOADING ? thinking(message) : text(message),
    attachments(message.flags & COMPONENTS_V2 ? [] : message.attachments),
    embeds(message.embeds ?? []),
    components(message),
    failure(message),
    reactions(message),
    threadLink(message),
    message.flags & EPHEMERAL ? ephemeralNote() : null,
  ];
  return h("div", { class: "message-body" }, parts);
}

function text(message) {
  if (!message.content) return null;
  const content = markup(message.html, "markup content");
  if (message.edited_timestamp) {
    const mark = h("span", { class: "edited", title: messageTime(message.edited_timestamp) }, t("edited"));
    const last = content.lastElementChild;
    if (last?.tagName === "P") last.append(" ", mark);
    else content.append(mark);
  }
  return content;
}

function thinking(message) {
  return h(
    "div",
    { class: "thinking" },
    dots(),
    h("span", {}, t("thinking", { name: nameOf(author(message)) })),
  );
}

export const dots = () => h("span", { class: "dots", aria: { hidden: "true" } }, h("i"), h("i"), h("i"));

function failure(message) {
  const error = store.failed.get(message.id);
  return error ? h("div", { class: "failure", role: "alert" }, error) : null;
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  const chip = ({ emoji, count, me }) =>
    h(
      "button",
      {
        type: "button",
        class: me ? "reaction mine" : "reaction",
        data: { action: "react", emoji: emoji.name },
      },
      emoji.name,
      h("b", {}, String(count ?? 1)),
    );
  return h("div", { class: "reactions" }, message.reactions.map(chip));
}

function threadLink(message) {
  const thread = store.channels.get(message.id) ?? (message.thread && store.channels.get(message.thread.id));
  if (!thread || thread.id === message.channel_id) return null;
  return h(
    "button",
    { type: "button", class: "thread-card", data: { action: "open-channel", id: thread.id } },
    icon("thread", 18),
    h("b", {}, thread.name),
    h("span", {}, t("see_thread")),
  );
}

function threadNotice(message) {
  const open = h(
    "button",
    {
      type: "button",
      class: "link",
      data: { action: "open-channel", id: message.message_reference?.channel_id ?? "" },
    },
    message.content,
  );
  return h(
    "li",
    { class: "message notice", id: `m-${message.id}`, data: { message: message.id, key: "notice" } },
    icon("thread", 18),
    h("b", {}, nameOf(author(message))),
    open,
  );
}

function ephemeralNote() {
  return h(
    "div",
    { class: "ephemeral-note" },
    icon("eye", 14),
    h("span", {}, t("only_you")),
    h("span", { aria: { hidden: "true" } }, "•"),
    h("button", { type: "button", class: "link", data: { action: "dismiss" } }, t("dismiss")),
  );
}

function actions() {
  const button = (action, name, label) =>
    h("button", { type: "button", title: label, data: { action }, aria: { label } }, icon(name, 18));
  return h(
    "div",
    { class: "message-actions" },
    button("reply", "reply", t("reply")),
    button("copy-text", "copy", t("copy_text")),
    button("menu", "more", t("more")),
  );
}
