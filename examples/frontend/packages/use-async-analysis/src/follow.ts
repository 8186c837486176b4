// One job, followed to its end. Whatever wakes the follower, it does the same: look at the job, once at a time.
//
// Realtime's signals wake it when there is something to see. A timer wakes it anyway: every 15 s while Realtime is
// heard, every 2 s and ever more seldom while it is not. Because looks never overlap, an older row cannot follow a newer.

import { toFailure } from "./errors.ts";
import type { AnalysisBackend, AnalysisError, Job } from "./types.ts";

const SAFETY_MS = 15_000;
const JOIN_MS = 3_000;
const SLOWER = 1.5;
const FINAL = ["not_found", "forbidden", "invalid_request"];

export interface FollowEvents {
  job(job: Job): void;
  transport(transport: "realtime" | "polling"): void;
  /** So many looks in a row got no answer. */
  unanswered(times: number): void;
  /** There is no such job for this user. */
  gone(error: AnalysisError): void;
}

export interface Follower {
  wake(): void;
  stop(): void;
}

export function follow(
  backend: Pick<AnalysisBackend, "status" | "listen">,
  jobId: string,
  on: FollowEvents,
  pollInterval: number,
): Follower {
  let stopped = false;
  let looking = false;
  let lookAgain = false;
  let listening = false;
  let signalledSince = true; // the last look
  let unanswered = 0;
  let seen = "";
  let wait = pollInterval;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const setListening = (now: boolean) => {
    if (listening && !now) wait = pollInterval;
    listening = now;
    on.transport(now ? "realtime" : "polling");
    wake();
  };

  const schedule = () => {
    const heard = listening && unanswered === 0;
    timer = setTimeout(() => {
      if (!heard) wait = Math.min(wait * SLOWER, SAFETY_MS);
      void look();
    }, heard ? SAFETY_MS : wait);
  };

  const notice = (job: Job, signalled: boolean) => {
    unanswered = 0;
    const now = `${job.status} ${job.progress} ${job.phase} ${job.partial?.length}`;
    if (now !== seen) {
      wait = pollInterval;
      // The timer found what no signal had told: whatever Realtime says of itself, it is deaf.
      if (listening && !signalled) {
        setListening(false);
        subscription.renew();
      }
    }
    seen = now;
    on.job(job);
  };

  async function look(): Promise<void> {
    clearTimeout(timer);
    looking = true;
    do {
      lookAgain = false;
      const signalled = signalledSince;
      signalledSince = false;
      try {
        const job = await backend.status(jobId);
        if (!stopped) notice(job, signalled);
      } catch (reason) {
        const error = toFailure(reason);
        if (stopped) return;
        if (FINAL.includes(error.code)) on.gone(error);
        else on.unanswered(++unanswered);
      }
    } while (lookAgain && !stopped);
    looking = false;
    if (!stopped) schedule();
  }

  function wake(): void {
    signalledSince = true;
    if (looking) lookAgain = true;
    else if (!stopped) void look();
  }

  const joinTimer = setTimeout(() => listening || setListening(false), JOIN_MS);
  const subscription = backend.listen(jobId, (signal) => {
    if (stopped) return;
    if (signal === "changed") return wake();
    clearTimeout(joinTimer);
    setListening(signal === "ready");
  });
  wake();

  return {
    wake,
    stop() {
      stopped = true;
      clearTimeout(timer);
      clearTimeout(joinTimer);
      subscription.stop();
    },
  };
}
