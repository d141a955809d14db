// The server's channels with their threads, and the direct messages.
import { element, fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { avatar, icon, logo } from "./icons.js";
import { closeDrawers } from "./drawers.js";
import { ask } from "./prompt.js";
import { DM, THREAD, store } from "./store.js";
import { toast } from "./toast.js";

let socket;

export function startSidebar(connection) {
  socket = connection;
  store.on(["loaded", "current", "channels", "unread", "users", "locale", "status"], draw);
}

function draw() {
  element("guild-name").textContent = store.guild.name;
  drawRail();
  drawChannels();
  drawTitle();
}

const inDms = () => store.channel?.type === DM;

function drawRail() {
  const dmsUnread = store.dms().some((channel) => store.unread.has(channel.id));
  const guildUnread = [...store.unread.keys()].some((id) => store.channels.get(id)?.type !== DM);
  fill(
    element("rail"),
    railButton(t("direct_messages"), icon("at", 24), inDms(), dmsUnread, openDm),
    h("hr"),
    railButton(store.guild.name, logo(30), !inDms(), guildUnread, () => store.show(store.guildChannels()[0].id)),
  );
}

function railButton(label, picture, current, unread, onclick) {
  const state = `rail-button${current ? " current" : ""}${unread ? " unread" : ""}`;
  return h(
    "button",
    {
      type: "button",
      class: state,
      title: label,
      onclick,
      aria: { label, current: current ? "page" : null },
    },
    picture,
  );
}

async function openDm() {
  try {
    const { id } = await socket.request("open_dm");
    store.showWhenAnnounced(id);
  } catch (refusal) {
    toast(t("failed_action", { detail: refusal.detail }));
  }
}

function drawChannels() {
  const guildChannels = store
    .guildChannels()
    .map((channel) => [
      channelRow(channel, icon("hash", 20)),
      store.threads(channel.id).map((thread) => channelRow(thread, icon("thread", 16))),
    ]);
  const dms = store.dms();
  fill(
    element("channels"),
    heading(t("text_channels"), addButton(t("add_channel"), createChannel)),
    h("ul", {}, guildChannels),
    heading(t("direct_messages"), dms.length ? null : addButton(t("message_user"), openDm)),
    h(
      "ul",
      {},
      dms.map((channel) => channelRow(channel, avatar(store.dmPartner(channel), "list"))),
    ),
  );
}

const heading = (text, button) => h("div", { class: "channel-heading" }, h("h2", {}, text), button);

const addButton = (label, onclick) =>
  h(
    "button",
    { type: "button", class: "icon-button small", title: label, onclick, aria: { label } },
    icon("plus", 18),
  );

function channelRow(channel, picture) {
  const unread = store.unread.get(channel.id);
  const current = channel.id === store.current;
  const classes = ["channel", channel.type === THREAD && "thread", current && "current", unread && "unread"]
    .filter(Boolean)
    .join(" ");
  const open = () => {
    store.show(channel.id);
    closeDrawers();
  };
  const badge =
    unread && (unread.mentioned || channel.type === DM)
      ? h("span", { class: "badge" }, String(unread.count))
      : null;
  return h(
    "li",
    {},
    h(
      "button",
      {
        type: "button",
        class: classes,
        onclick: open,
        data: { channel: channel.id },
        aria: { current: current ? "page" : null },
      },
      picture,
      h("span", { class: "channel-name" }, store.title(channel)),
      badge,
    ),
  );
}

async function createChannel() {
  const name = await ask({
    title: t("add_channel"),
    label: t("channel_name"),
    accept: t("create"),
    prefix: "#",
  });
  if (!name) return;
  try {
    const { id } = await socket.request("add_channel", { name });
    store.showWhenAnnounced(id);
  } catch (refusal) {
    toast(t("failed_action", { detail: refusal.detail }));
  }
}

function drawTitle() {
  const { channel } = store;
  if (!channel) return;
  const picture =
    channel.type === DM
      ? avatar(store.dmPartner(channel), "list")
      : icon(channel.type === THREAD ? "thread" : "hash", 22);
  fill(
    element("title"),
    picture,
    h("h1", {}, store.title(channel)),
    channel.topic ? h("span", { class: "topic" }, channel.topic) : null,
  );
  document.title = `${channel.type === DM ? "@" : "#"}${store.title(channel)} · ${store.guild.name}`;
}
