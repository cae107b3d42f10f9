// A session ends when nobody is there. The person is warned, and tabs share what they know of each other.
const EVENTS = ["pointerdown", "keydown", "wheel", "touchstart"];
const KEY = "paraphe-active-at";

export function watchIdleness({ idleS, warnS, csrf }) {
  const idle = Number(idleS) * 1000;
  const warn = Number(warnS) * 1000;
  const dialog = document.getElementById("idle-dialog");
  const seconds = document.getElementById("idle-seconds");
  let activeAt = Date.now();
  let toldAt = activeAt;

  const share = () => { try { localStorage.setItem(KEY, String(activeAt)); } catch { /* each tab for itself */ } };

  async function tell() {
    toldAt = Date.now();
    const body = new URLSearchParams({ csrf_token: csrf });
    const answer = await fetch("/session/touch", { method: "POST", body, redirect: "manual" }).catch(() => null);
    if (answer && answer.status !== 204) end();
  }

  function active() {
    if (dialog.open) return;
    activeAt = Date.now();
    if (activeAt - toldAt > Math.min(30000, idle / 5)) { share(); tell(); }
  }

  function end() { document.getElementById("idle-form").submit(); }

  function look() {
    const left = activeAt + idle - Date.now();
    if (left <= 0) end();
    else if (left > warn) { if (dialog.open) dialog.close(); }
    else {
      seconds.textContent = String(Math.ceil(left / 1000));
      if (!dialog.open) dialog.showModal();
    }
  }

  for (const name of EVENTS) addEventListener(name, active, { passive: true });
  addEventListener("storage", (event) => {
    if (event.key === KEY) activeAt = toldAt = Math.max(activeAt, Number(event.newValue));
  });
  document.getElementById("idle-stay").addEventListener("click", () => {
    dialog.close();
    activeAt = Date.now();
    share();
    tell();
  });
  share();
  setInterval(look, 1000);
}
