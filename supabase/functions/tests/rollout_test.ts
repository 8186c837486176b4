import { drawBucket, isRolledOut } from "../_shared/rollout.ts";
import { assertEquals } from "./assert.ts";

interface Vector {
  key: string;
  user_id: string;
  bucket: number;
}

const vectors: Vector[] = JSON.parse(
  await Deno.readTextFile(new URL("../../../tests/contract/functions/rollout_vectors.json", import.meta.url)),
);

Deno.test("the draw is the database's", async () => {
  for (const { key, user_id, bucket } of vectors) {
    assertEquals([key, user_id, await drawBucket(key, user_id)], [key, user_id, bucket]);
  }
  assertEquals(vectors.length >= 50, true);
});

Deno.test("the draw is what sha256sum says", async () => {
  // printf 'sofia:00000000-0000-4000-8000-000000000000' | sha256sum
  assertEquals(await drawBucket("sofia", "00000000-0000-4000-8000-000000000000"), 4646);
});

Deno.test("shares are as large as they should be, and a larger one holds a smaller one", async () => {
  const users = Array.from({ length: 10_000 }, (_, n) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`);
  const holding = (bps: number) => Promise.all(users.map((user) => isRolledOut("exams", user, bps)));
  const [tenth, half, all] = await Promise.all([holding(1000), holding(5000), holding(10_000)]);
  const share = (held: boolean[]) => held.filter(Boolean).length / users.length;

  assertEquals(Math.abs(share(tenth) - 0.1) < 0.01, true);
  assertEquals(Math.abs(share(half) - 0.5) < 0.01, true);
  assertEquals(share(all), 1);
  assertEquals(tenth.every((held, index) => !held || half[index]), true);
});
