// Requests to our own API, with the session's token; a session that has ended leads to the log-in page.

export let csrfToken = document.body.dataset.csrf ?? "";

/**
 * Looks for a newer token than this one, which was refused: whoever logged in again, on another tab, has another than
 * this page came with. "renewed"; "same" when it is not the token that was refused; "none" when this person is logged
 * out: of another person none is taken, for what is sent from here would be theirs; "unknown" when nobody answers.
 */
export async function renewToken(refused) {
  if (csrfToken !== refused) return "renewed";
  const text = await fetch("/help").then((answer) => (answer.ok ? answer.text() : null)).catch(() => null);
  if (text === null) return "unknown";
  const there = new DOMParser().parseFromString(text, "text/html");
  const { csrf } = there.body.dataset;
  if (csrf === refused) return "same";
  const who = (page) => page.querySelector(".who")?.textContent;
  if (!csrf || who(there) !== who(document)) return "none";
  csrfToken = csrf;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = csrfToken;
  return "renewed";
}

function goToLogin() {
  const back = new URLSearchParams({ ended: "idle", next: location.pathname + location.search + location.hash });
  location.assign(`/login?${back}`);
}

/** What a problem document says, with the code that texts are found by, and how long to wait before trying again. */
export class ApiProblem extends Error {
  constructor(status, body, retryAfterS) {
    super(body.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? "internal_error";
    this.body = body;
    this.retryAfterS = retryAfterS;
  }
}

/**
 * ``fetch`` with JSON in and out; throws ApiProblem for what is not a success, TypeError when nobody answers. What is
 * refused for its token alone is sent once more with the newer one.
 */
export async function api(path, options = {}) {
  const token = csrfToken;
  try {
    return await send(path, options);
  } catch (error) {
    const isRefused = error.status === 403 && (options.method ?? "GET") !== "GET";
    if (!isRefused || (await renewToken(token)) !== "renewed") throw error;
    return send(path, options);
  }
}

async function send(path, { method = "GET", json, headers = {}, signal }) {
  const all = { Accept: "application/json", ...headers };
  if (method !== "GET") all["X-CSRF-Token"] = csrfToken;
  if (json !== undefined) all["Content-Type"] = "application/json";
  const body = json === undefined ? undefined : JSON.stringify(json);
  const answer = await fetch(path, { method, headers: all, body, signal });
  if (answer.status === 401) goToLogin();
  const value = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ApiProblem(answer.status, value ?? {}, Number(answer.headers.get("Retry-After")) || 0);
  return { value, headers: answer.headers, status: answer.status };
}

/** A last word while the page goes; nobody hears the answer. Not sendBeacon, which cannot carry the token's header. */
export function sendOnLeaving(path, json) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrfToken };
  fetch(path, { method: "POST", keepalive: true, headers, body: JSON.stringify(json) }).catch(() => {});
}
