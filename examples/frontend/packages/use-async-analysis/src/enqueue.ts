import { isUnavailable } from "./errors.ts";
import type { AnalysisBackend, Enqueued } from "./types.ts";

const AGAIN_AFTER_MS = [500, 1_500];

/** Asks again where the answer was lost: under the same key that is the same job. */
export async function enqueuePatiently(
  backend: Pick<AnalysisBackend, "enqueue">,
  type: string,
  input: unknown,
  idempotencyKey: string,
): Promise<Enqueued> {
  for (const pause of AGAIN_AFTER_MS) {
    try {
      return await backend.enqueue(type, input, idempotencyKey);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }
  return backend.enqueue(type, input, idempotencyKey);
}
