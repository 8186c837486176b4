// Every way to say no, as application/problem+json (RFC 9457).

export interface ProblemDetails {
  status: number;
  /** A word for programs; the same mistake has the same word for ever. */
  code: string;
  /** A sentence for people who read logs. Holds no value that a caller sent, and no secret. */
  title: string;
  /** Of a body, which part was wrong: "input.files[0].path". */
  field?: string | undefined;
  /** When it is worth asking again; also the header Retry-After. */
  retryAfterSeconds?: number | undefined;
}

export class Problem extends Error {
  /** `reason` is for the log alone. */
  constructor(readonly details: ProblemDetails, readonly reason?: string) {
    super(details.title);
  }

  toResponse(requestId: string): Response {
    const { status, code, title, field, retryAfterSeconds } = this.details;
    const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store" });
    if (retryAfterSeconds !== undefined) {
      headers.set("retry-after", String(retryAfterSeconds));
    }
    const body = { status, code, title, field, retry_after_seconds: retryAfterSeconds, request_id: requestId };
    return new Response(JSON.stringify(body), { status, headers });
  }
}

export function invalid(field: string, title: string): Problem {
  return new Problem({ status: 400, code: "invalid_request", title, field });
}

export function notSignedIn(): Problem {
  return new Problem({ status: 401, code: "not_signed_in", title: "Sign in first." });
}

export function tooLarge(title: string): Problem {
  return new Problem({ status: 413, code: "too_large", title });
}

/** Nobody knows whether it was done, and it is safe to ask again. */
export function unavailable(reason: string): Problem {
  const title = "The service does not answer just now.";
  return new Problem({ status: 503, code: "unavailable", title, retryAfterSeconds: 2 }, reason);
}
