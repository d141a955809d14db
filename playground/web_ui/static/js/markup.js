// Inserts HTML, and is the only file that does. The server rendered it, with raw HTML as text.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { DM, store } from "./store.js";
import { fullTime, timestamp } from "./time.js";

const MESSAGE_LINK = /^https:\/\/discord\.com\/channels\/(?:\d+|@me)\/(\d+)\/(\d+)$/;

const policy = globalThis.trustedTypes?.createPolicy("server-markdown", { createHTML: (html) => html });

/** An element with the server's HTML. Adds copy buttons, local times and the reader's mentions. */
export function markup(html, className = "markup", tag = "div") {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML(html) : html;
  const element = h(tag, { class: className });
  element.append(template.content);
  element.querySelectorAll("pre").forEach(addCopyButton);
  element.querySelectorAll("time").forEach(writeTime);
  element.querySelectorAll(".spoiler").forEach((spoiler) => spoiler.setAttribute("aria-label", t("spoiler")));
  element.querySelectorAll(".mention[data-user]").forEach(markOwnMention);
  element.querySelectorAll("a").forEach(shortenMessageLink);
  return element;
}

function addCopyButton(pre) {
  const label = pre.dataset.language;
  const bar = h("div", { class: "code-bar" }, h("span", { class: "code-language" }, label));
  bar.append(
    h(
      "button",
      {
        type: "button",
        class: "copy-code",
        title: t("copy"),
        data: { action: "copy-code" },
        aria: { label: t("copy") },
      },
      icon("copy", 16),
    ),
  );
  const frame = h("div", { class: "code-block" });
  pre.replaceWith(frame);
  pre.tabIndex = 0;
  frame.append(bar, pre);
}

function writeTime(time) {
  const unix = Number(time.dataset.unix);
  time.textContent = timestamp(unix, time.dataset.style);
  const date = new Date(unix * 1000);
  if (!Number.isNaN(date.getTime())) time.title = fullTime(date);
}

function markOwnMention(mention) {
  mention.classList.toggle("own", mention.dataset.user === store.me?.id);
}

/** Show the address of a known message in Discord's short form. */
function shortenMessageLink(link) {
  const [, channel, id] = link.textContent.match(MESSAGE_LINK) ?? [];
  const place = link.href === link.textContent && store.channels.get(channel);
  if (!place) return;
  const data = { action: "jump-over", channel, id };
  const pill = h("button", { type: "button", class: "mention message-link", data });
  pill.append(`${place.type === DM ? "@" : "#"}${store.title(place)} › `, icon("thread", 14));
  link.replaceWith(pill);
}

/** Handle a click on a spoiler or a copy button. Returns whether it was one of them. */
export function onMarkupClick(event) {
  const spoiler = event.target.closest(".spoiler, .spoiler-media");
  if (spoiler && !spoiler.classList.contains("revealed")) {
    spoiler.classList.add("revealed");
    event.preventDefault();
    return true;
  }
  const button = event.target.closest("[data-action=copy-code]");
  if (!button) return false;
  copy(button.closest(".code-block").querySelector("code").textContent);
  button.classList.add("copied");
  button.replaceChildren(icon("check", 16));
  setTimeout(() => {
    button.classList.remove("copied");
    button.replaceChildren(icon("copy", 16));
  }, 1500);
  return true;
}

export async function copy(text) {
  await navigator.clipboard?.writeText(text).catch(() => copyWithoutClipboardApi(text));
}

function copyWithoutClipboardApi(text) {
  const area = h("textarea", { class: "visually-hidden" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
