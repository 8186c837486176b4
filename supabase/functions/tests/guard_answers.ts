// Says what the guard makes of texts: a JSON list of them on standard input, the answers on standard output. Python asks
// this to compare, with texts that nobody has thought of.

import { loadGuard } from "../_shared/guard.ts";

const guard = await loadGuard();
const texts: string[] = await new Response(Deno.stdin.readable).json();
const answers = texts.map((text) => ({
  line: guard.lineCrossedBy(text),
  emergency: guard.emergencyIn(text),
  reply: guard.finish(guard.emergencyIn(text), text),
  short: guard.shorten(text, 20),
  fenced: guard.fence("texto", text),
}));
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(answers)));
