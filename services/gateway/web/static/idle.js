// A session ends when nobody is there. The person is warned, and tabs share what they know of each other.
import { csrfToken, renewToken } from "./http.js";

const EVENTS = ["pointerdown", "keydown", "wheel", "touchstart"];
const AT_WORK = "paraphe-at-work";
const KEY = "paraphe-active-at";
const END_AGAIN_MS = 15000;

let isNeeded = () => false;

/** A page that holds what is nowhere else, files to be sent, is not left by itself when the session has ended. */
export function stayWhile(condition) { isNeeded = condition; }

/** For what a person set going and waits for: it keeps the session as the person would, even while they are asked. */
export function atWork() { dispatchEvent(new Event(AT_WORK)); }

export function watchIdleness({ idleS, warnS }) {
  const idle = Number(idleS) * 1000;
  const warn = Number(warnS) * 1000;
  const tellEvery = Math.min(30000, idle / 5);
  const dialog = document.getElementById("idle-dialog");
  const form = document.getElementById("idle-form");
  const seconds = document.getElementById("idle-seconds");
  let activeAt = Date.now();
  let knownAt = activeAt; // the last activity that the server knows of
  let toldAt = activeAt;
  let endedAt = -Infinity;

  const share = () => { try { localStorage.setItem(KEY, String(activeAt)); } catch { /* each tab for itself */ } };

  async function tell() {
    share();
    toldAt = Date.now();
    const told = activeAt;
    const token = csrfToken;
    const body = new URLSearchParams({ csrf_token: token });
    const answer = await fetch("/session/touch", { method: "POST", body, redirect: "manual" }).catch(() => null);
    if (answer?.status === 204) knownAt = Math.max(knownAt, told);
    else if (answer?.type === "opaqueredirect") end(); // to the log-in page
    else if (answer?.status === 403) await takeOver(token);
    // Any other answer is a fault of ours, and says nothing.
  }

  /** There is another session: of this person, so that the page goes on with it, or of somebody who must not see it. */
  async function takeOver(token) {
    const found = await renewToken(token);
    if (found === "renewed") await tell();
    else if (found === "none" && !isNeeded()) leave();
  }

  /** The answer to a form is not loaded again, which would send the form again: the page it belongs to is shown. */
  function leave() {
    const { value: here } = form.elements.next;
    if (here === location.pathname + location.search) location.reload();
    else location.replace(here);
  }

  function tellIfDue() {
    if (activeAt > knownAt && Date.now() - toldAt > tellEvery) tell();
  }

  function active() {
    activeAt = Date.now();
    tellIfDue();
  }

  /** Not again while the way to the log-in page may only be slow: each time would begin it anew. */
  function end() {
    if (isNeeded()) { dialog.close(); return; }
    if (Date.now() - endedAt < END_AGAIN_MS) return;
    endedAt = Date.now();
    form.submit();
  }

  function look() {
    const left = activeAt + idle - Date.now();
    if (left <= 0) { end(); return; }
    // Of what came last before a rest, too: the server's time must not run out long before ours.
    tellIfDue();
    if (left > warn) { if (dialog.open) dialog.close(); }
    else {
      seconds.textContent = String(Math.ceil(left / 1000));
      if (!dialog.open) dialog.showModal();
    }
  }

  for (const name of EVENTS) addEventListener(name, () => { if (!dialog.open) active(); }, { passive: true });
  addEventListener(AT_WORK, active);
  addEventListener("pageshow", () => { endedAt = -Infinity; });
  addEventListener("storage", (event) => {
    if (event.key === KEY) activeAt = knownAt = Math.max(activeAt, Number(event.newValue));
  });
  document.getElementById("idle-stay").addEventListener("click", () => {
    dialog.close();
    activeAt = Date.now();
    tell();
  });
  share();
  setInterval(look, 1000);
}
