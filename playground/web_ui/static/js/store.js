// The page's state. Events of the server change it; each view listens for changes of its part.

export const TEXT = 0;
export const DM = 1;
export const THREAD = 11;
export const EPHEMERAL = 1 << 6;
export const LOADING = 1 << 7;
export const COMPONENTS_V2 = 1 << 15;

const TYPING_MS = 10_000;

class Store extends EventTarget {
  me = null;
  locale = "en-US";
  guild = { name: "Commonroom" };
  users = new Map();
  channels = new Map();
  messages = new Map(); // by channel, each a Map by message id in order
  commands = [];
  current = null;
  status = [];
  unread = new Map(); // by channel: { count, mentioned }
  #channelToShow = null;
  #typing = new Map(); // by channel, each a Map of user to the time it ends
  dismissed = new Set();
  failed = new Map(); // by message: the error text below it
  offline = false;

  changed(part, detail) {
    this.dispatchEvent(new CustomEvent(part, { detail }));
  }

  on(parts, listener) {
    for (const part of [parts].flat()) this.addEventListener(part, (event) => listener(event.detail));
  }

  load(snapshot) {
    this.offline = false;
    this.me = snapshot.me;
    this.locale = snapshot.locale;
    this.guild = snapshot.guild;
    this.commands = snapshot.commands;
    this.status = snapshot.status;
    this.users = byId(snapshot.users);
    this.channels = byId(snapshot.channels);
    this.messages = new Map(Object.entries(snapshot.messages).map(([id, list]) => [id, byId(list)]));
    this.#typing.clear();
    if (!this.channels.has(this.current)) this.current = this.guildChannels()[0]?.id ?? null;
    this.changed("loaded");
  }

  get channel() {
    return this.channels.get(this.current);
  }

  /** The commands of a kind that can be called in this channel. */
  usable(type) {
    const place = this.channel?.type === DM ? "in_dm" : "in_guild";
    return this.commands.filter((command) => command.type === type && command[place]);
  }

  get bot() {
    return [...this.users.values()].find((user) => user.bot);
  }

  guildChannels() {
    return [...this.channels.values()].filter((channel) => channel.type === TEXT);
  }

  threads(parent) {
    return [...this.channels.values()].filter(
      (channel) => channel.type === THREAD && channel.parent_id === parent,
    );
  }

  dms() {
    return [...this.channels.values()].filter((channel) => channel.type === DM);
  }

  dmPartner(dm) {
    const id = (dm.recipients ?? []).map((user) => user.id ?? user).find((user) => user !== this.me.id);
    return this.users.get(id) ?? this.bot;
  }

  title(channel) {
    return channel.type === DM ? nameOf(this.dmPartner(channel)) : channel.name;
  }

  visibleMessages(channel) {
    return [...(this.messages.get(channel)?.values() ?? [])].filter(
      (message) => !this.dismissed.has(message.id),
    );
  }

  message(id) {
    for (const list of this.messages.values()) if (list.has(id)) return list.get(id);
    return undefined;
  }

  show(channel) {
    this.current = channel;
    this.unread.delete(channel);
    this.changed("current");
  }

  /** Show a new channel now, or as soon as the server has announced it. */
  showWhenAnnounced(channel) {
    if (this.channels.has(channel)) this.show(channel);
    else this.#channelToShow = channel;
  }

  addChannel(channel) {
    this.channels.set(channel.id, channel);
    this.changed("channels");
    if (channel.id !== this.#channelToShow) return;
    this.#channelToShow = null;
    this.show(channel.id);
  }

  put(message) {
    const list = this.messages.get(message.channel_id) ?? new Map();
    this.messages.set(message.channel_id, list);
    const isNew = !list.has(message.id);
    list.set(message.id, message);
    this.failed.delete(message.id);
    this.stopTyping(message.channel_id, message.author.id);
    if (isNew && message.channel_id !== this.current && message.author.id !== this.me.id) this.#countUnread(message);
    this.changed("message", { message, isNew });
  }

  #countUnread(message) {
    const before = this.unread.get(message.channel_id) ?? { count: 0, mentioned: false };
    const mentioned = message.mentions.some((user) => user.id === this.me.id);
    this.unread.set(message.channel_id, {
      count: before.count + 1,
      mentioned: before.mentioned || mentioned,
    });
    this.changed("unread");
  }

  remove({ id, channel_id }) {
    if (this.messages.get(channel_id)?.delete(id)) this.changed("removed", { id, channel_id });
  }

  dismiss(message) {
    this.dismissed.add(message.id);
    this.changed("removed", { id: message.id, channel_id: message.channel_id });
  }

  fail(id, text) {
    this.failed.set(id, text);
    const message = this.message(id);
    if (message) this.changed("message", { message, isNew: false });
  }

  setTyping({ channel_id, user_id }) {
    const typists = this.#typing.get(channel_id) ?? new Map();
    this.#typing.set(channel_id, typists.set(user_id, Date.now() + TYPING_MS));
    this.changed("typing");
    setTimeout(() => this.changed("typing"), TYPING_MS + 50);
  }

  stopTyping(channel, user) {
    if (this.#typing.get(channel)?.delete(user)) this.changed("typing");
  }

  typists() {
    const typists = this.#typing.get(this.current) ?? new Map();
    const live = [...typists].filter(([user, end]) => end > Date.now() && user !== this.me.id);
    return live.map(([user]) => this.users.get(user)).filter(Boolean);
  }
}

const byId = (list) => new Map(list.map((item) => [item.id, item]));

export const nameOf = (user) => user?.global_name || user?.username || "?";

export const store = new Store();
