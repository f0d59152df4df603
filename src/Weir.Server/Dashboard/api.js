const tokenName = 'weir-admin-token';
const timeoutMs = 5000;

/** The node answered, with an error. */
export class AnswerError extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? `The node answered ${status}.`);
    this.status = status;
    this.problems = problem?.problems ?? [];
  }
}

// A browser that keeps no storage for this site throws; the token then lives as long as the page.
let token = '';
try {
  token = sessionStorage.getItem(tokenName) ?? '';
} catch { /* no storage */ }

export const hasToken = () => token !== '';

export function setToken(value) {
  token = value;
  try {
    if (value) sessionStorage.setItem(tokenName, value);
    else sessionStorage.removeItem(tokenName);
  } catch { /* no storage */ }
}

/** Asks the node; paths are relative, so the page also works below a proxy's prefix. */
export function send(path, method = 'GET', body = undefined, type = 'application/json') {
  const headers = {};
  if (body !== undefined) headers['Content-Type'] = type;
  if (token && path.startsWith('api/')) headers.Authorization = `Bearer ${token}`;
  return fetch(path, { method, body, headers, cache: 'no-store', signal: AbortSignal.timeout(timeoutMs) });
}

/** Asks and reads JSON; null for an answer without a body. */
export async function ask(path, method, body, type) {
  const response = await send(path, method, body, type);
  const text = await response.text();
  if (!response.ok) throw new AnswerError(response.status, tryParse(text));
  return text ? JSON.parse(text) : null;
}

export const askJson = (path, method, body) => ask(path, method, JSON.stringify(body));

function tryParse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
