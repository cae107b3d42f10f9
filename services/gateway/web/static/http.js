// Requests to our own API, with the session's token; a session that has ended leads to the log-in page.

export let csrfToken = document.body.dataset.csrf ?? "";

/**
 * Whether there is a newer token than this one: whoever logged in again, on another tab, has another than this page came
 * with. Of another person none is taken: what is sent from here would be theirs.
 */
export async function renewToken(stale) {
  if (csrfToken !== stale) return true;
  const there = new DOMParser().parseFromString(await (await fetch("/help")).text(), "text/html");
  const { csrf } = there.body.dataset;
  const who = (page) => page.querySelector(".who")?.textContent;
  if (!csrf || csrf === stale || who(there) !== who(document)) return false;
  csrfToken = csrf;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = csrfToken;
  return true;
}

function goToLogin() {
  const back = new URLSearchParams({ ended: "idle", next: location.pathname + location.search + location.hash });
  location.assign(`/login?${back}`);
}

/** What a problem document says, with the code that texts are found by. */
export class ApiProblem extends Error {
  constructor(status, body) {
    super(body.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? "internal_error";
    this.body = body;
  }
}

/** ``fetch`` with JSON in and out; throws ApiProblem for what is not a success, TypeError when nobody answers. */
export async function api(path, { method = "GET", json, headers = {}, signal } = {}) {
  const all = { Accept: "application/json", ...headers };
  if (method !== "GET") all["X-CSRF-Token"] = csrfToken;
  if (json !== undefined) all["Content-Type"] = "application/json";
  const body = json === undefined ? undefined : JSON.stringify(json);
  const answer = await fetch(path, { method, headers: all, body, signal });
  if (answer.status === 401) goToLogin();
  const value = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ApiProblem(answer.status, value ?? {});
  return { value, headers: answer.headers, status: answer.status };
}

/** A last word while the page goes; nobody hears the answer. Not sendBeacon, which cannot carry the token's header. */
export function sendOnLeaving(path, json) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrfToken };
  fetch(path, { method: "POST", keepalive: true, headers, body: JSON.stringify(json) }).catch(() => {});
}
