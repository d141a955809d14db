// The WebSocket to the server: requests with replies, events, and reconnection.

const REFUSED = 4001;
const MAX_RETRY_MS = 5000;

export class Socket extends EventTarget {
  #token;
  #socket = null;
  #waiting = new Map();
  #next = 1;
  #retry_ms = 250;
  #hello = {};

  constructor(token) {
    super();
    this.#token = token;
  }

  /** `hello()` returns the fields of each connection's first message, without the token. */
  open(hello) {
    this.#hello = hello;
    this.#connect();
  }

  #connect() {
    const socket = new WebSocket(
      `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/page/socket`,
    );
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ token: this.#token, ...this.#hello() }));
    socket.onmessage = ({ data }) => this.#onMessage(JSON.parse(data));
    socket.onclose = ({ code }) => this.#onClose(code);
  }

  #onMessage(message) {
    this.#retry_ms = 250;
    if (message.reply === undefined) {
      this.dispatchEvent(new CustomEvent(message.event, { detail: message.data }));
      return;
    }
    const { resolve, reject } = this.#waiting.get(message.reply) ?? {};
    this.#waiting.delete(message.reply);
    if (message.error) reject?.(new Refusal(message.error, message.detail));
    else resolve?.(message.data);
  }

  #onClose(code) {
    for (const { reject } of this.#waiting.values()) reject(new Refusal("offline"));
    this.#waiting.clear();
    this.dispatchEvent(new CustomEvent("offline", { detail: { refused: code === REFUSED } }));
    if (code === REFUSED) return;
    setTimeout(() => this.#connect(), this.#retry_ms);
    this.#retry_ms = Math.min(this.#retry_ms * 2, MAX_RETRY_MS);
  }

  /** Send a request. Rejects with a Refusal whose `code` is the reason. */
  request(op, fields = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Refusal("offline"));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, op, ...fields }));
    });
  }

  /** Upload a file. Returns the id by which a later request names it. */
  async upload(file) {
    const response = await fetch(`/page/upload?name=${encodeURIComponent(file.name)}`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${this.#token}`,
        "Content-Type": file.type || "application/octet-stream",
      },
      body: file,
    });
    if (!response.ok) throw new Refusal(response.status === 413 ? "too_large" : "upload", file.name);
    return (await response.json()).id;
  }
}

export class Refusal extends Error {
  constructor(code, detail = "") {
    super(detail || code);
    this.code = code;
    this.detail = detail;
  }
}
