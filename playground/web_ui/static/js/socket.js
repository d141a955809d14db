// One WebSocket with the server: requests with replies, pushes, and a way back after a break.

const REFUSED = 4001;
const SLOWEST_RETRY_MS = 5000;

export class Socket extends EventTarget {
  #token;
  #socket = null;
  #waiting = new Map();
  #next = 1;
  #retry_ms = 250;
  #greeting = {};

  constructor(token) {
    super();
    this.#token = token;
  }

  /** `greeting()` is what to say first on every connection, beside the token. */
  open(greeting) {
    this.#greeting = greeting;
    this.#connect();
  }

  #connect() {
    const socket = new WebSocket(
      `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/page/socket`,
    );
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ token: this.#token, ...this.#greeting() }));
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => this.#closed(code);
  }

  #receive(packet) {
    this.#retry_ms = 250;
    if (packet.reply === undefined) {
      this.dispatchEvent(new CustomEvent(packet.event, { detail: packet.data }));
      return;
    }
    const { resolve, reject } = this.#waiting.get(packet.reply) ?? {};
    this.#waiting.delete(packet.reply);
    if (packet.error) reject?.(new Refusal(packet.error, packet.detail));
    else resolve?.(packet.data);
  }

  #closed(code) {
    for (const { reject } of this.#waiting.values()) reject(new Refusal("offline"));
    this.#waiting.clear();
    this.dispatchEvent(new CustomEvent("offline", { detail: { refused: code === REFUSED } }));
    if (code === REFUSED) return;
    setTimeout(() => this.#connect(), this.#retry_ms);
    this.#retry_ms = Math.min(this.#retry_ms * 2, SLOWEST_RETRY_MS);
  }

  /** Ask for something; rejects with a Refusal whose `code` says why. */
  request(op, fields = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Refusal("offline"));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, op, ...fields }));
    });
  }

  /** Send a file's bytes ahead; the id that comes back is named in the action that uses it. */
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
