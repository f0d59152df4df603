// Asks the application and tells whoever listens what every answer said besides: who served it, and how the limit stands.

const listeners = new Set();
let key = sessionStorage.getItem("key") ?? "";

export class Refused extends Error {
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export const hasKey = () => key !== "";

export function setKey(value) {
  key = value;
  // Of this tab, and gone with it.
  if (value) sessionStorage.setItem("key", value);
  else sessionStorage.removeItem("key");
}

/** Calls `listener({ servedBy, upstream, limit, status })` for every answer. */
export const onAnswer = listener => listeners.add(listener);

export async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { Accept: "application/json", "X-API-Key": key, ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined,
      cache: "no-store",
    });
  } catch {
    throw new Refused(0, "The balancer does not answer.", null);
  }
  const answer = await response.json().catch(() => ({}));
  tell(response, answer);
  if (response.ok) return answer;
  throw new Refused(response.status, answer.detail ?? `The answer was ${response.status}.`, number(response.headers.get("Retry-After")));
}

function tell(response, answer) {
  const of = name => response.headers.get(name);
  const servedBy = of("X-Served-By") ?? answer.served_by?.instance ?? null;
  const limit = of("X-RateLimit-Limit") === null ? null : {
    most: number(of("X-RateLimit-Limit")),
    remaining: number(of("X-RateLimit-Remaining")),
    resetSeconds: number(of("X-RateLimit-Reset")),
    name: /^"([^"]*)"/.exec(of("RateLimit-Policy") ?? "")?.[1] ?? "",
    windowSeconds: number(/;w=(\d+)/.exec(of("RateLimit-Policy") ?? "")?.[1] ?? null),
    retryAfter: number(of("Retry-After")),
  };
  for (const listener of listeners) listener({ servedBy, upstream: of("X-Upstream-Server"), limit, status: response.status });
}

const number = text => text === null || text === "" || Number.isNaN(Number(text)) ? null : Number(text);
