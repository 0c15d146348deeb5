// The one door to the server: JSON, JSON lines and server-sent events of our own origin.

/** What went wrong, as the server said it (RFC 9457), or as a sentence of ours where it said nothing. */
export class ApiError extends Error {
  /**
   * @param {number} status HTTP status; 0 if there was no answer
   * @param {string} title
   * @param {string} detail
   * @param {number} [retryAfterS] when to try again, seconds; 0 if the server did not say
   */
  constructor(status, title, detail, retryAfterS = 0) {
    super(detail || title);
    this.name = "ApiError";
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.retryAfterS = retryAfterS;
  }
}

/**
 * Write a query string; empty values (`undefined`, `null`, `""`) are left out, lists repeat their name.
 * @param {Record<string, string | number | boolean | null | undefined | readonly (string | number)[]>} values
 * @returns {string} with the question mark, or empty
 */
export function query(values) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null && each !== "") parameters.append(name, String(each));
    }
  }
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

/**
 * Fetch and throw for anything but success; without a login the visitor goes to the login page and comes back after.
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
export async function request(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "No answer", "The server does not answer. Check that it runs and that you are online.");
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && document.body.dataset.login === "required" && document.body.dataset.page !== "login") {
    location.assign(`/login${query({ next: location.pathname + location.search })}`);
  }
  throw await problemOf(answer);
}

/**
 * @param {Response} answer
 * @returns {Promise<ApiError>}
 */
async function problemOf(answer) {
  let title = answer.statusText || `Status ${answer.status}`;
  let detail = "";
  try {
    const problem = await answer.json();
    if (typeof problem.title === "string") title = problem.title;
    if (typeof problem.detail === "string") detail = problem.detail;
  } catch {
    // No problem document: the status has to do.
  }
  const seconds = Number(answer.headers.get("retry-after")) || 0;
  if (answer.status === 429) {
    detail ||= seconds ? `Too many requests: try again in ${seconds} s.` : "Too many requests: try again soon.";
  }
  return new ApiError(answer.status, title, detail, seconds);
}

/**
 * @param {string} path
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the JSON; its shape is the API's
 */
export async function getJson(path, options = {}) {
  const answer = await request(path, { headers: { accept: "application/json" }, ...options });
  return answer.json();
}

/**
 * Send something that changes state; the header keeps other sites' forms out.
 * @param {"POST" | "DELETE" | "PUT"} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>} the JSON of the answer, `null` if it is empty
 */
export async function send(method, path, body) {
  const answer = await sendFor(method, path, body);
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

/**
 * As `send`, for answers that are no JSON.
 * @param {"POST" | "DELETE" | "PUT"} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<Response>}
 */
export function sendFor(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = { "x-wince-request": "1" };
  if (body !== undefined) headers["content-type"] = "application/json";
  return request(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

/**
 * Read JSON lines as they come.
 * @param {string} path
 * @param {{signal?: AbortSignal}} [options]
 * @returns {AsyncGenerator<string[], void, void>} lines, unparsed, in the pieces they came in
 */
export async function* lines(path, options = {}) {
  const answer = await request(path, options);
  if (!answer.body) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const parts = (rest + (value ?? "")).split("\n");
    rest = parts.pop() ?? "";
    if (done && rest) parts.push(rest);
    const whole = parts.filter((line) => line !== "");
    if (whole.length) yield whole;
    if (done) return;
  }
}

/**
 * Follow server-sent events; the browser reconnects by itself and says where it was.
 * @param {string} path
 * @param {Record<string, (data: any) => void>} handlers by the event's name, called with its parsed data
 * @param {(connected: boolean) => void} [onState]
 * @returns {() => void} ends it
 */
export function follow(path, handlers, onState = () => undefined) {
  const source = new EventSource(path);
  source.addEventListener("open", () => onState(true));
  source.addEventListener("error", () => onState(false));
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (event) => {
      const { data } = /** @type {MessageEvent<string>} */ (event);
      handle(data ? JSON.parse(data) : null);
    });
  }
  return () => source.close();
}
