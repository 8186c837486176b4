// The same draw as the database's: a client that cannot ask get_flags decides alike.

const BUCKETS = 10_000;

/** One of 10000: the first 32 bits of SHA-256 of `key:user_id`. */
export async function drawBucket(key: string, userId: string): Promise<number> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${key}:${userId.toLowerCase()}`));
  return new DataView(digest).getUint32(0) % BUCKETS;
}

/** Whether a rollout of so many hundredths of a percent holds this user. A larger one holds whom a smaller one holds. */
export async function isRolledOut(key: string, userId: string, rolloutBps: number): Promise<boolean> {
  return await drawBucket(key, userId) < rolloutBps;
}
