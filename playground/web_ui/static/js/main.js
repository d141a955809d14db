// Entry point: read the token from the address, open the socket, start each part of the page.
import { savedSettings, startAccount } from "./account.js";
import { startActions } from "./actions.js";
import { composer } from "./composer.js";
import { element } from "./dom.js";
import { startDrawers } from "./drawers.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { startMenus } from "./menus.js";
import { startModals } from "./modals.js";
import { startPanel } from "./panel.js";
import { startSidebar } from "./sidebar.js";
import { Socket } from "./socket.js";
import { store } from "./store.js";
import { startTheme } from "./theme.js";
import { startTimeline } from "./timeline.js";

/** Move the token from the address bar to the session, so that no bookmark or screenshot shows it. */
function moveTokenToSession() {
  const address = new URL(location.href);
  const token = address.searchParams.get("token");
  if (token) sessionStorage.setItem("token", token);
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
  return sessionStorage.getItem("token") ?? "";
}

const EVENT_HANDLERS = {
  snapshot: (snapshot) => store.load(snapshot),
  message: (message) => store.put(message),
  message_delete: (gone) => store.remove(gone),
  typing: (typing) => store.setTyping(typing),
  status: (status) => ((store.status = status), store.changed("status")),
  commands: (commands) => ((store.commands = commands), store.changed("commands")),
  channel: (channel) => store.addChannel(channel),
  channel_delete: ({ id }) => (
    store.channels.delete(id),
    store.current === id && store.show(store.guildChannels()[0].id),
    store.changed("channels")
  ),
  user: (user) => (store.users.set(user.id, user), store.changed("users")),
};

function listen(socket) {
  for (const [event, apply] of Object.entries(EVENT_HANDLERS))
    socket.addEventListener(event, ({ detail }) => apply(detail));
  socket.addEventListener("offline", ({ detail }) => showOffline(t(detail.refused ? "refused" : "lost")));
  socket.addEventListener("snapshot", () => (element("offline").hidden = true));
}

function showOffline(text) {
  element("offline").textContent = text;
  element("offline").hidden = false;
}

const LABELS = {
  "menu-toggle": "open_menu",
  "panel-toggle": "show_system",
  attach: "attach",
  send: "send",
  messages: "messages",
};
const ICONS = { "menu-toggle": "menu", "panel-toggle": "pulse", attach: "plus", send: "send" };

function labelPage() {
  document.documentElement.lang = store.locale;
  for (const [id, key] of Object.entries(LABELS)) {
    element(id).setAttribute("aria-label", t(key));
    if (id !== "messages") element(id).title = t(key);
  }
}

function start() {
  startTheme();
  const saved = savedSettings();
  store.locale = saved.locale ?? (navigator.language.startsWith("zh") ? "zh-CN" : "en-US");
  for (const [id, name] of Object.entries(ICONS)) element(id).append(icon(name, 22));
  labelPage();
  store.on(["loaded", "locale"], labelPage);
  showOffline(t("connecting"));

  const socket = new Socket(moveTokenToSession());
  for (const part of [
    startTimeline,
    startSidebar,
    startAccount,
    startPanel,
    startActions,
    startMenus,
    startModals,
    startDrawers,
  ])
    part(socket);
  composer.start(socket);
  listen(socket);
  socket.open(() => ({ user: store.me?.id ?? savedSettings().user, locale: store.locale }));

  store.addEventListener("loaded", () => composer.focus(), { once: true });
  // A key that is pressed anywhere goes into the composer, as on Discord.
  window.addEventListener("keydown", (event) => {
    const typing =
      event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== " ";
    const otherFieldHasFocus =
      document.querySelector("dialog[open], .popover") ||
      document.activeElement.matches("input, textarea, select");
    if (typing && !otherFieldHasFocus) composer.focus();
  });
}

start();
