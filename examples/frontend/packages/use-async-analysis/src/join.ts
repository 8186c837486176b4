// Channels that are joined anew whenever they are lost.
//
// Realtime never joins a closed channel again, and an old join's close can end a new one of the same topic. So whatever
// is lost is removed, and joined as a new channel after a pause; a topic is used again only when it has been left.

import type { RealtimeChannel, SupabaseClient } from "@supabase/supabase-js";

const LONGEST_PAUSE_MS = 30_000;

export interface Link {
  renew(): void;
  close(): void;
}

export interface Joining {
  private: boolean;
  /** The first one between losing and joining; it doubles until `joined` is called. */
  pause: number;
  /** Null: not just now. */
  topic: () => string | null | Promise<string | null>;
  open: (channel: RealtimeChannel, joined: () => void, lost: () => void) => void;
  onLost: () => void;
}

export function createJoining(supabase: SupabaseClient): (wanted: Joining) => Link {
  let left: Promise<unknown> = Promise.resolve();

  return (wanted) => {
    let closed = false;
    let channel: RealtimeChannel | null = null;
    let pause = wanted.pause;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const leave = () => {
      clearTimeout(timer);
      const old = channel;
      channel = null;
      if (old) left = left.then(() => supabase.removeChannel(old)).catch(() => {});
    };

    const lose = () => {
      if (closed) return;
      leave();
      wanted.onLost();
      timer = setTimeout(join, pause);
      pause = Math.min(pause * 2, Math.max(LONGEST_PAUSE_MS, wanted.pause));
    };

    const join = async () => {
      try {
        await left;
        await supabase.realtime.setAuth(); // else the join may be sent before the user's token is known
        const topic = await wanted.topic();
        if (closed) return;
        if (topic === null) return lose();
        const mine = supabase.channel(topic, { config: { private: wanted.private } });
        channel = mine;
        wanted.open(mine, () => {
          pause = wanted.pause;
        }, () => mine === channel && lose());
      } catch {
        lose();
      }
    };
    void join();

    return {
      renew: lose,
      close() {
        closed = true;
        leave();
      },
    };
  };
}
