// Which way a new request goes: as a job, or at once in one synchronous call.
//
// The database says what is on for this user and whether jobs get done, with its own hysteresis. What this browser lived
// through comes on top: after a fallback it stays synchronous for a cool-down that doubles with every further one, so
// that it does not knock at a closed door with each request, and comes back by itself.

import type { Flags } from "./types.ts";

const FLAGS_MS = 30_000;
const COOL_DOWN_MS = 60_000;
const LONGEST_MS = 600_000;

export interface Gate {
  choose(type: string): Promise<"async" | "sync">;
  /** Whether jobs get done, asked now; one that is recovering counts as well, and so does one that cannot be asked. */
  jobsGetDone(): Promise<boolean>;
  fellBack(): void;
  worked(): void;
}

export function createGate(readFlags: () => Promise<Flags>, now: () => number = Date.now): Gate {
  let known: Promise<Flags | null> | undefined;
  let readAt = 0;
  let syncUntil = 0;
  let coolDown = COOL_DOWN_MS;

  const read = () => {
    readAt = now();
    known = readFlags().catch(() => {
      known = undefined;
      return null;
    });
    return known;
  };

  return {
    async choose(type) {
      if (now() < syncUntil) return "sync";
      const flags = await (known && now() - readAt < FLAGS_MS ? known : read());
      return flags === null || (flags.healthy && isOn(flags, type)) ? "async" : "sync";
    },
    async jobsGetDone() {
      const flags = await read();
      return flags === null || flags.healthy || flags.why === "recovering";
    },
    fellBack() {
      syncUntil = now() + coolDown;
      coolDown = Math.min(coolDown * 2, LONGEST_MS);
    },
    worked() {
      syncUntil = 0;
      coolDown = COOL_DOWN_MS;
    },
  };
}

function isOn({ flags, types }: Flags, type: string): boolean {
  const key = types[type];
  return key === undefined || flags[key]?.async === true;
}
