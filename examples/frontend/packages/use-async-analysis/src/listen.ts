// Realtime's word on jobs, from two sources that ring the same bell.
//
// The contract: `postgres_changes` of the job's row, a channel for each job, shared by all who follow it. It counts as
// heard only from the system message on, not from the reply to the join.
//
// For speed: the private broadcast `analysis_jobs:<user id>` of the user's jobs, one channel for all of them. Where the
// database has no such broadcast, or Realtime does not let us in, nothing is missing but speed.

import type { SupabaseClient } from "@supabase/supabase-js";
import { createJoining, type Link } from "./join.ts";
import type { Signal, Subscription } from "./types.ts";

const LINGER_MS = 250; // a component that is mounted twice gets the same channel
const PAUSE_MS = 1_000;
const HINTS_PAUSE_MS = 60_000;

type Listener = (signal: Signal) => void;

interface Heard {
  listeners: Set<Listener>;
  link: Link;
  ready: boolean;
}

export function createListening(supabase: SupabaseClient): (jobId: string, onSignal: Listener) => Subscription {
  const keepJoined = createJoining(supabase);
  const jobs = new Map<string, Heard>();
  let hints: Link | undefined;
  let topics = 0;

  const tell = (jobId: string | undefined, signal: Signal) => {
    const job = jobs.get(jobId ?? "");
    if (!job) return;
    if (signal !== "changed") job.ready = signal === "ready";
    for (const listener of [...job.listeners]) listener(signal);
  };
  const tellAll = () => {
    for (const jobId of jobs.keys()) tell(jobId, "changed");
  };

  const openJob = (jobId: string): Link =>
    keepJoined({
      private: false,
      pause: PAUSE_MS,
      topic: () => `analysis_job:${jobId}:${++topics}`,
      open: (channel, joined, lost) => {
        const filter = `id=eq.${jobId}`;
        channel
          .on("postgres_changes", { event: "UPDATE", schema: "public", table: "analysis_jobs", filter }, () =>
            tell(jobId, "changed"))
          .on("system", {}, ({ extension, status }: { extension?: string; status?: string }) => {
            if (status !== "ok") return lost();
            if (extension !== "postgres_changes") return;
            joined();
            tell(jobId, "ready");
          })
          .subscribe((status) => (status === "SUBSCRIBED" ? tell(jobId, "changed") : lost()));
      },
      onLost: () => tell(jobId, "lost"),
    });

  const openHints = (): Link =>
    keepJoined({
      private: true,
      pause: HINTS_PAUSE_MS,
      topic: async () => {
        const { data } = await supabase.auth.getSession();
        return data.session && `analysis_jobs:${data.session.user.id}`;
      },
      open: (channel, joined, lost) => {
        channel
          .on("broadcast", { event: "status" }, ({ payload }: { payload?: { job_id?: string } }) =>
            tell(payload?.job_id, "changed"))
          .subscribe((status) => (status === "SUBSCRIBED" ? joined() : lost()));
      },
      onLost: () => {},
    });

  const open = () => {
    hints = openHints();
    // A page that slept, or was offline, heard nothing meanwhile.
    globalThis.document?.addEventListener("visibilitychange", tellAll);
    globalThis.addEventListener?.("online", tellAll);
  };
  const close = () => {
    hints?.close();
    globalThis.document?.removeEventListener("visibilitychange", tellAll);
    globalThis.removeEventListener?.("online", tellAll);
  };

  return (jobId, onSignal) => {
    if (jobs.size === 0) open();
    const job = jobs.get(jobId) ?? { listeners: new Set(), link: openJob(jobId), ready: false };
    jobs.set(jobId, job);
    job.listeners.add(onSignal);
    if (job.ready) queueMicrotask(() => onSignal("ready"));
    return {
      renew: job.link.renew,
      stop() {
        job.listeners.delete(onSignal);
        setTimeout(() => {
          if (job.listeners.size > 0 || jobs.get(jobId) !== job) return;
          jobs.delete(jobId);
          job.link.close();
          if (jobs.size === 0) close();
        }, LINGER_MS);
      },
    };
  };
}
