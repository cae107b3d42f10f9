// One file to the API, with progress. The idempotency key makes trying again harmless.
import { csrfToken, renewToken } from "../http.js";
import { texts } from "./texts.js";

const TRIES = 4;
const WAIT_S = [1, 3, 8];

export class UploadError extends Error {
  constructor(code, mayTryAgain, retryAfterS = 0) {
    super(code);
    Object.assign(this, { code, mayTryAgain, retryAfterS });
  }
}

/** The words for what went wrong. */
export function fault(error) {
  return texts[`failure.${error.code}`] ?? texts["failure.other"];
}

export async function upload(file, key, options, onProgress) {
  for (let attempt = 0; ; attempt += 1) {
    const token = csrfToken;
    try {
      return await post(token, file, key, options, onProgress);
    } catch (error) {
      const found = error.isRefused ? await renewToken(token) : null;
      if (found === "renewed") continue;
      if (found === "same") error.mayTryAgain = false; // it is the person's role that does not allow it
      if (found === "none") error.code = "unauthenticated";
      if (found === "unknown") error.code = "network"; // whether the role allows it was not to be learnt
      if (!(error instanceof UploadError) || !error.isPassing || attempt >= TRIES - 1) throw error;
      const seconds = Math.max(error.retryAfterS, WAIT_S[attempt]);
      await new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });
    }
  }
}

function post(token, file, key, options, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of an upload's progress
    request.open("POST", "/v1/jobs");
    request.setRequestHeader("X-CSRF-Token", token);
    request.setRequestHeader("Idempotency-Key", key);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status === 200 || request.status === 202) resolve(request.response);
      else reject(problem(request));
    });
    request.addEventListener("error", () => reject(passing("network", 0)));
    const form = new FormData();
    for (const [name, value] of Object.entries(options)) form.append(name, value);
    // Without a type: browsers guess it from the name, and people name scans as they please.
    form.append("file", file.slice(0, file.size, "application/octet-stream"), file.name);
    request.send(form);
  });
}

function problem(request) {
  const code = request.response?.code ?? "internal_error";
  if ([429, 503].includes(request.status)) return passing(code, Number(request.getResponseHeader("Retry-After")) || 0);
  // No session, another than this page's, or a role that may not. Not to the log-in page at once: this page alone
  // holds what is not sent.
  const isRefused = [401, 403].includes(request.status);
  return Object.assign(new UploadError(code, isRefused || request.status >= 500), { isRefused });
}

function passing(code, retryAfterS) {
  return Object.assign(new UploadError(code, true, retryAfterS), { isPassing: true });
}
