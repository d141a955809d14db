// The input at the bottom: a message with mentions and files, or a slash command with its options.
import { CommandForm } from "./command.js";
import { autosize, element, fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { avatar, icon } from "./icons.js";
import { Listbox } from "./listbox.js";
import { suggestMentions, withMentions } from "./mentions.js";
import { exactCommand, matchingCommands, showCommands } from "./picker.js";
import { DM, THREAD, nameOf, store } from "./store.js";
import { jumpToPresent, localNotice } from "./timeline.js";
import { toast } from "./toast.js";
import { Tray } from "./tray.js";

const MAX_CHARACTERS = 2000;
const TYPING_INTERVAL_MS = 8000;

class Composer {
  #socket;
  #reply = null;
  #command = null;
  #drafts = new Map();
  #channel = null;
  #typedAt = 0;

  start(socket) {
    this.#socket = socket;
    this.text = element("text");
    this.tray = new Tray(element("tray"), element("file-input"));
    this.picker = new Listbox(this.text, t("commands"), "picker");
    this.mentions = new Listbox(this.text, t("members"), "mention-list");
    element("lists").append(this.picker.element, this.mentions.element);
    this.text.addEventListener("input", () => this.#onInput());
    this.text.addEventListener("keydown", (event) => this.#onKey(event));
    this.text.addEventListener("blur", () => (this.picker.close(), this.mentions.close()));
    element("composer").addEventListener("submit", (event) => (event.preventDefault(), this.#submit()));
    element("attach").addEventListener("click", () => element("file-input").click());
    this.tray.listen(document.body, this.text);
    store.on(["current", "loaded", "locale"], () => this.#onChannel());
    store.on("commands", () => this.picker.open && this.#suggest());
  }

  focus() {
    if (this.#command) this.#command.focus();
    else this.text.focus();
  }

  replyTo(message) {
    this.#reply = message;
    this.#leaveCommand();
    fill(
      element("reply-bar"),
      h("span", {}, t("replying_to", { name: "" })),
      avatar(message.author, "small"),
      h("b", {}, nameOf(message.author)),
      h(
        "button",
        {
          type: "button",
          class: "icon-button",
          aria: { label: t("cancel") },
          onclick: () => this.#cancelReply(),
        },
        icon("close", 16),
      ),
    );
    element("reply-bar").hidden = false;
    this.focus();
  }

  #cancelReply() {
    this.#reply = null;
    element("reply-bar").hidden = true;
  }

  /** Fill in the command. One Enter sends it, and the next question is typed in the same way. */
  fillSample(name, prompt) {
    const command =
      exactCommand(name) ??
      exactCommand("chat") ??
      store.usable(1).find((one) => one.options.some((option) => option.type === 3));
    if (command) this.#enterCommand(command, prompt);
    else this.#setText(store.bot ? `@${nameOf(store.bot)} ${prompt}` : prompt);
  }

  /** Attach a sample picture with a question about it. One Enter sends both. */
  async attachSample(name, prompt) {
    const response = await fetch(`/page/static/samples/${name}.png`);
    this.#leaveCommand();
    this.tray.clear();
    this.tray.add([new File([await response.blob()], `${name}.png`, { type: "image/png" })]);
    this.#setText(store.bot ? `@${nameOf(store.bot)} ${prompt}` : prompt);
  }

  #setText(text) {
    this.text.value = text;
    this.#onInput();
    this.text.focus();
  }

  #onChannel() {
    const { channel } = store;
    if (!channel) return;
    if (this.#channel && this.#channel !== channel.id) {
      this.#drafts.set(this.#channel, this.text.value);
      this.text.value = this.#drafts.get(channel.id) ?? "";
      this.#cancelReply();
      this.#leaveCommand();
    }
    this.#channel = channel.id;
    const name =
      channel.type === DM
        ? `@${store.title(channel)}`
        : channel.type === THREAD
          ? `“${channel.name}”`
          : `#${channel.name}`;
    this.text.placeholder = t("message_in", { name });
    this.text.setAttribute("aria-label", this.text.placeholder);
    element("drop-text").textContent = t("drop_here", { name });
    autosize(this.text);
    this.#showCounter();
  }

  #onInput() {
    autosize(this.text);
    this.#showCounter();
    const typed = /^\/([^\n]*?) ([^\n]*)$/.exec(this.text.value);
    const command = typed && exactCommand(typed[1]);
    if (command && matchingCommands(`${typed[1]} `).every((other) => other === command))
      this.#enterCommand(command, typed[2]);
    else this.#suggest();
    this.#sendTyping();
  }

  #suggest() {
    if (/^\/[^\n]*$/.test(this.text.value))
      showCommands(this.picker, this.text.value.slice(1), (command) => this.#enterCommand(command));
    else this.picker.close();
    suggestMentions(this.mentions, this.text);
  }

  #sendTyping() {
    if (!this.text.value || this.text.value.startsWith("/") || Date.now() - this.#typedAt < TYPING_INTERVAL_MS)
      return;
    this.#typedAt = Date.now();
    this.#socket.request("typing", { channel: store.current }).catch(() => {});
  }

  #showCounter() {
    const over = [...this.text.value].length - MAX_CHARACTERS;
    element("counter").hidden = over <= 0;
    element("counter").textContent = over > 0 ? t("too_long", { count: over }) : "";
  }

  #onKey(event) {
    if (this.picker.handleKey(event) || this.mentions.handleKey(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape") this.#reply ? this.#cancelReply() : jumpToPresent();
  }

  #enterCommand(command, first = "") {
    this.picker.close();
    this.#cancelReply();
    this.#command = new CommandForm(command, this.#socket, {
      submit: () => this.#submit(),
      leave: () => this.#leaveCommand(true),
    });
    fill(element("command"), this.#command.element);
    element("composer").classList.add("commanding");
    this.text.value = "";
    this.#command.fill(first);
    this.#command.focus();
  }

  #leaveCommand(focus = false) {
    this.#command = null;
    element("composer").classList.remove("commanding");
    fill(element("command"));
    if (focus) this.text.focus();
  }

  #submit() {
    return this.#command ? this.#runCommand() : this.#sendMessage();
  }

  async #runCommand() {
    const form = this.#command;
    const values = form.collect();
    if (!values) return;
    const channel = store.current;
    this.#leaveCommand(true);
    jumpToPresent();
    try {
      const options = await this.#uploadFiles(values);
      await this.#socket.request("slash", { channel, command: form.command.name, options });
    } catch (refusal) {
      if (refusal.code === "no_response") localNotice(channel, form.command.label);
      else this.#showRefusal(refusal);
    }
  }

  /** The options with each file replaced by the id of its upload. */
  async #uploadFiles(values) {
    const entries = Object.entries(values).map(async ([name, value]) => [
      name,
      value instanceof File ? { upload: await this.#socket.upload(value) } : value,
    ]);
    return Object.fromEntries(await Promise.all(entries));
  }

  async #sendMessage() {
    const text = this.text.value;
    const files = this.tray.files;
    if ((!text.trim() && !files.length) || [...text].length > MAX_CHARACTERS) return;
    const reply = this.#reply;
    this.text.value = "";
    this.tray.clear();
    this.#cancelReply();
    this.#onInput();
    jumpToPresent();
    try {
      const uploads = await Promise.all(files.map((file) => this.#socket.upload(file)));
      await this.#socket.request("say", {
        channel: store.current,
        content: withMentions(text),
        uploads,
        reply: reply?.id ?? null,
      });
    } catch (refusal) {
      if (!this.text.value) this.#setText(text);
      this.tray.add(files);
      this.#showRefusal(refusal);
    }
  }

  #showRefusal({ code, detail }) {
    if (code === "offline") toast(t("offline_error"));
    else if (code === "too_large" || code === "upload") toast(t(code, { name: detail }));
    else toast(t("failed_action", { detail }));
  }
}

export const composer = new Composer();
