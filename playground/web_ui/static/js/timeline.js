// The messages of the current channel. The list stays at the bottom unless the reader scrolled up.
import { element, fill, h, morph } from "./dom.js";
import { t } from "./i18n.js";
import { avatar, icon } from "./icons.js";
import { dots, messageRow, startsNewDay } from "./message.js";
import { DM, EPHEMERAL, THREAD, nameOf, store } from "./store.js";
import { day } from "./time.js";
import { foldedHint, hint } from "./welcome.js";

const NEAR_BOTTOM_PX = 80;

let pinned = true;
let lastTop = 0;
let missed = 0;

const scroller = () => element("scroller");
const list = () => element("messages");

export function startTimeline() {
  store.on(["loaded", "current", "locale"], showAll);
  store.on(
    "message",
    ({ message, isNew }) => message.channel_id === store.current && showOne(message, isNew),
  );
  store.on("removed", ({ channel_id }) => channel_id === store.current && refreshAll());
  store.on(["typing", "loaded", "current"], showTyping);
  scroller().addEventListener("scroll", onScroll, { passive: true });
  element("jump").addEventListener("click", jumpToPresent);
  // Pictures, fonts and a growing composer change heights without a message.
  const observer = new ResizeObserver(() => pinned && toBottom());
  observer.observe(list());
  observer.observe(scroller());
}

export function jumpToPresent() {
  pinned = true;
  toBottom();
}

function toBottom() {
  scroller().scrollTop = scroller().scrollHeight;
  missed = 0;
  showJump();
}

/** Only the reader scrolls up. A picture that loads makes the list longer and moves nothing. */
function onScroll() {
  const { scrollTop, scrollHeight, clientHeight } = scroller();
  if (scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX) pinned = true;
  else if (scrollTop < lastTop) pinned = false;
  lastTop = scrollTop;
  if (pinned) missed = 0;
  showJump();
}

function showJump() {
  const jump = element("jump");
  jump.hidden = pinned;
  fill(jump, missed ? h("b", {}, t("new_messages", { count: missed })) : null, t("jump"), icon("down", 16));
}

function showAll() {
  const { channel } = store;
  if (!channel) return;
  const messages = store.visibleMessages(channel.id);
  fill(element("beginning"), beginning(channel), messages.length ? foldedHint() : hint());
  fill(
    list(),
    messages.map((message, at) => rows(message, messages[at - 1])),
  );
  jumpToPresent();
}

/** The row of a message, after the divider of its day where it is the first. */
function rows(message, before) {
  const row = messageRow(message, before);
  return startsNewDay(message, before) ? [divider(message), row] : [row];
}

const divider = (message) =>
  h(
    "li",
    { class: "day", role: "separator", data: { day: message.id } },
    h("span", {}, day(message.timestamp)),
  );

function showOne(message, isNew) {
  const messages = store.visibleMessages(message.channel_id);
  const at = messages.findIndex(({ id }) => id === message.id);
  const row = element(`m-${message.id}`);
  if (row) morph(row, messageRow(message, messages[at - 1]));
  else if (at === messages.length - 1) {
    list().append(...rows(message, messages[at - 1]));
    announce(message);
  } else refreshAll();
  if (at === 0 && isNew) fill(element("beginning"), beginning(store.channel), foldedHint());
  if (pinned) toBottom();
  else if (isNew) {
    missed += 1;
    showJump();
  }
}

/** Update the whole list after a change between rows. Rows that did not change stay in the document. */
function refreshAll() {
  const messages = store.visibleMessages(store.current);
  const fresh = h(
    "ol",
    {},
    messages.map((message, at) => rows(message, messages[at - 1])),
  );
  const old = new Map([...list().children].map((row) => [row.id || `day-${row.dataset.day}`, row]));
  fill(
    list(),
    [...fresh.children].map((row) => {
      const known = old.get(row.id || `day-${row.dataset.day}`);
      return known ? morph(known, row) : row;
    }),
  );
  if (pinned) toBottom();
}

function beginning(channel) {
  if (channel.type === DM) {
    const other = store.dmPartner(channel);
    return h(
      "div",
      { class: "beginning" },
      avatar(other, "large"),
      h("h1", {}, nameOf(other)),
      h("p", {}, t("welcome_dm", { name: nameOf(other) })),
    );
  }
  const isThread = channel.type === THREAD;
  return h(
    "div",
    { class: "beginning" },
    h("span", { class: "beginning-icon" }, icon(isThread ? "thread" : "hash", 40)),
    h("h1", {}, isThread ? channel.name : t("welcome", { name: channel.name })),
    h(
      "p",
      {},
      isThread ? t("welcome_thread", { name: channel.name }) : t("welcome_body", { name: channel.name }),
    ),
  );
}

/** Announce a new message once to screen readers. Each edit of a growing one would interrupt them. */
function announce(message) {
  if (message.author.id === store.me.id || !message.content) return;
  element("live").textContent = t("message_sent", {
    name: nameOf(message.author),
    text: message.content.slice(0, 200),
  });
}

function showTyping() {
  const names = store.typists().map(nameOf);
  const key = ["", "is_typing", "are_typing"][names.length] ?? "several_typing";
  fill(
    element("typing"),
    names.length ? [dots(), h("span", {}, t(key, { names: names.join(", ") }))] : null,
  );
}

export function jumpTo(id) {
  const row = element(`m-${id}`);
  if (!row) return;
  row.scrollIntoView({ block: "center" });
  row.classList.add("flash");
  row.focus({ preventScroll: true });
  setTimeout(() => row.classList.remove("flash"), 1600);
}

/** Add a notice that only this page shows, as Discord's client does when an application does not respond. */
export function localNotice(channel, command) {
  const last = store.visibleMessages(channel).at(-1);
  const id = `${(BigInt(last?.id.split("-")[0] ?? 0) + 1n).toString()}-local${Math.random().toString(36).slice(2)}`;
  store.put({
    id,
    channel_id: channel,
    author: store.bot,
    type: 0,
    flags: EPHEMERAL,
    content: "",
    html: "",
    mentions: [],
    attachments: [],
    embeds: [],
    components: [],
    timestamp: new Date().toISOString(),
    command: { user: store.me, label: command },
  });
  store.fail(id, t("no_response"));
}
