// Every way to fail, with one question answered: may the same be asked again?

import type { AnalysisError } from "./types.ts";

export class AnalysisFailure extends Error implements AnalysisError {
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds?: number;

  constructor(code: string, message: string, retryable = false, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    if (retryAfterSeconds !== undefined) this.retryAfterSeconds = retryAfterSeconds;
  }
}

const CODES: Record<number, string> = {
  400: "invalid_request",
  401: "not_signed_in",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  429: "too_many_requests",
};

const PASSING = ["not_signed_in", "too_many_requests", "paused"];

/** No answer, or one that says nothing: it may have been done. */
export const unavailable = (message: string) => new AnalysisFailure("unavailable", message, true);

export const isUnavailable = (error: unknown) => error instanceof AnalysisFailure && error.code === "unavailable";

/** What PostgREST answered; only a refusal that the SQL function raised, or a 4xx, is a definite no. */
export function failureOf(status: number, body: { code?: string; message?: string; details?: unknown }) {
  const raised = /^PT(\d{3})$/.exec(body.code ?? "");
  const meant = raised ? Number(raised[1]) : status;
  const code = raised && meant === 503 ? "paused" : body.code ? CODES[meant] : undefined;
  if (!code) return unavailable(body.message || `HTTP ${status}`);
  return new AnalysisFailure(code, body.message ?? code, PASSING.includes(code), secondsIn(body.details));
}

export function toFailure(error: unknown): AnalysisFailure {
  if (error instanceof AnalysisFailure) return error;
  return unavailable(error instanceof Error ? error.message : String(error));
}

function secondsIn(details: unknown): number | undefined {
  try {
    const { retry_after_seconds: seconds } = JSON.parse(String(details)) as { retry_after_seconds?: unknown };
    return typeof seconds === "number" ? seconds : undefined;
  } catch {
    return undefined;
  }
}
