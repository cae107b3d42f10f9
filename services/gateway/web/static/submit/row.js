// One file on the screen.
import { counted, fill, texts } from "./texts.js";

const BADGES = { signed: ["good", "✓"], review: ["warn", "?"], unsigned: ["bad", "✕"] };

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function uniqueKey() {
  // crypto.randomUUID exists on secure pages only, and inside a company plain HTTP is common.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Row {
  #callbacks;
  #name;
  #state = make("div", "file-state");
  #actions = make("div", "file-actions");
  #fault = make("p", "file-fault");

  constructor(file, callbacks) {
    Object.assign(this, { file, key: uniqueKey(), jobId: null, isOver: false, mayTryAgain: false });
    this.#callbacks = callbacks;
    this.element = make("li", "file");
    this.#name = make("span", "file-name", file.name);
    this.#name.title = file.name;
    this.#fault.hidden = true;
    this.element.append(this.#name, make("span", "file-size", Row.size(file.size)), this.#state, this.#actions, this.#fault);
  }

  /** Nothing more is to come of it. What may be tried again has not been sent, and is nowhere else. */
  get isDone() { return this.isOver && !this.mayTryAgain; }

  /** Bytes for people. */
  static size(bytes) {
    const units = document.documentElement.lang === "fr" ? ["o", "ko", "Mo", "Go"] : ["B", "kB", "MB", "GB"];
    let value = bytes;
    let index = 0;
    while (value >= 1024 && index < units.length - 1) { value /= 1024; index += 1; }
    const digits = index && value < 10 ? 1 : 0;
    return `${value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: digits })} ${units[index]}`;
  }

  wait() {
    Object.assign(this, { isOver: false, mayTryAgain: false });
    this.#fault.hidden = true;
    this.#actions.replaceChildren();
    this.#state.replaceChildren(texts["submit.js.waiting"]);
  }

  progress(share) {
    let bar = this.#state.querySelector("progress");
    if (!bar) {
      bar = make("progress", "");
      bar.max = 1;
      bar.setAttribute("aria-label", fill(texts["submit.js.upload_of"], { name: this.file.name }));
      this.#state.replaceChildren(make("span", ""), bar);
    }
    bar.value = share;
    const percent = share.toLocaleString(document.documentElement.lang, { style: "percent" });
    this.#state.firstChild.textContent = share < 1 ? fill(texts["submit.js.sending"], { percent }) : texts["submit.js.storing"];
  }

  accepted(job) {
    this.jobId = job.id;
    this.show(job);
  }

  show(job) {
    this.#actions.replaceChildren(this.#link(job));
    if (job.status === "succeeded") this.#finish(...BADGES[job.result.verdict], this.#outcome(job.result));
    else if (job.status === "failed") this.fail(texts[`failure.${job.error.code}`] ?? job.error.detail, false, job);
    else if (job.status === "canceled") this.#finish("plain", "–", texts["state.canceled"]);
    else this.#examining(job.status);
  }

  #examining(status) {
    const bar = make("progress", "");
    bar.setAttribute("aria-label", fill(texts["submit.js.examination_of"], { name: this.file.name }));
    this.#state.replaceChildren(make("span", "", texts[`state.${status}`]), bar);
  }

  #outcome(result) {
    return `${texts[`verdict.${result.verdict}`]} · ${counted(texts["submit.js.signatures"], result.count)}`;
  }

  #finish(kind, sign, text) {
    this.isOver = true;
    const badge = make("span", `badge ${kind}`);
    const mark = make("span", "", sign);
    mark.ariaHidden = "true";
    badge.append(mark, text);
    const holder = make("span", "");
    holder.append(badge);
    this.#state.replaceChildren(holder);
  }

  /** Ended badly; ``mayTryAgain`` when the same file may well pass the next time. */
  fail(text, mayTryAgain, job = null) {
    this.#finish("bad", "!", texts["submit.js.failed"]);
    this.mayTryAgain = mayTryAgain;
    this.#fault.textContent = text;
    this.#fault.hidden = false;
    if (job) return;
    const button = make("button", "small", texts["submit.js.retry"]);
    button.type = "button";
    button.addEventListener("click", this.#callbacks.onRetry);
    this.#actions.replaceChildren(...(mayTryAgain ? [button] : []));
  }

  /** Not sent, for the session has ended: the files are here, so one logs in on another tab. */
  failLoggedOut() {
    this.fail(texts["failure.unauthenticated"], true);
    const link = make("a", "", texts["submit.js.log_in"]);
    link.href = "/login";
    link.target = "_blank";
    this.#fault.append(" ", link);
  }

  /** Erased by somebody while it was examined. */
  gone() {
    this.#actions.replaceChildren();
    this.#finish("plain", "–", texts["submit.js.gone"]);
  }

  #link(job) {
    const link = make("a", "", texts["submit.js.open"]);
    link.href = `/jobs/${job.id}`;
    link.setAttribute("aria-label", fill(texts["submit.js.open_file"], { name: this.file.name }));
    return link;
  }
}
