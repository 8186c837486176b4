// The worker's rules, applied here: what its Python says of the vectors is what this has to say.

import { chooseSync, loadContract } from "../_shared/contract.ts";
import { Guard, loadGuard } from "../_shared/guard.ts";
import { writeQuestion } from "../analyze-sync/question.ts";
import { assertEquals } from "./assert.ts";

const VECTORS = JSON.parse(
  await Deno.readTextFile(new URL("../../../tests/contract/functions/guard_vectors.json", import.meta.url)),
);
const guard = await loadGuard();

function assertSame(vectors: [unknown, unknown][], say: (given: never) => unknown): void {
  const others = vectors.filter(([given, wanted]) => JSON.stringify(say(given as never)) !== JSON.stringify(wanted));
  assertEquals(others.map(([given, wanted]) => ({ given, wanted, got: say(given as never) })), []);
}

Deno.test("a sentence crosses the line that it crosses in the worker", () =>
  assertSame(VECTORS.lines, (sentence: string) => guard.lineCrossedBy(sentence)));

Deno.test("a message is the emergency that it is in the worker", () =>
  assertSame(VECTORS.emergencies, (message: string) => guard.emergencyIn(message)));

Deno.test("of a text the same sentences stay", () => assertSame(VECTORS.held, (text: string) => guard.hold(text).text));

Deno.test("a reply is finished alike, with help first, as plain text and within its length", () => {
  const vectors = VECTORS.replies.map(([message, written, reply]: [string, string, unknown]) => [
    [message, written],
    reply,
  ]);
  assertSame(vectors, ([message, written]: [string, string]) => guard.finish(guard.emergencyIn(message), written));
});

Deno.test("untrusted text is fenced alike", () =>
  assertSame(VECTORS.fenced, (text: string) => guard.fence("texto", text)));

Deno.test("a chat's data are told as the worker tells them", async () => {
  const contract = await loadContract("unified_assistant");
  for (const [input, wanted] of VECTORS.questions) {
    const question = writeQuestion(guard, chooseSync(contract, input), input);
    assertEquals(question.startsWith(wanted), true);
    assertEquals(question.slice(wanted.length).includes("<dados"), false);
  }
});

Deno.test("suggestions that stand apart are held like those of the last line, and come instead of them", () => {
  const { text, suggestions } = guard.finish(null, "Olá.\nSugestões: Ceia?", [
    "**Almoço?**",
    "Tome 2 comprimidos",
    " ",
    "Lanche|Jantar",
    "Café",
  ]);
  assertEquals([text, suggestions], ["Olá.", ["Almoço?", "Lanche", "Jantar"]]);
});

Deno.test("rules that are not whole hold nobody up in silence", () => {
  const { dose: _, ...patterns } = guard.rules.patterns;
  let message = "";
  try {
    new Guard({ ...guard.rules, patterns });
  } catch (error) {
    message = String(error);
  }
  assertEquals(message, "SyntaxError: there is no pattern dose");
});
