import { loadContract } from "../_shared/contract.ts";
import { loadGuard } from "../_shared/guard.ts";
import { readGemini, readServiceProject } from "../_shared/env.ts";
import { answering } from "../_shared/http.ts";
import { analyze } from "./handler.ts";
import { loadFoods } from "./meal.ts";

Deno.serve(answering({
  POST: (call) =>
    analyze({
      project: readServiceProject(),
      gemini: readGemini,
      loadContract,
      loadGuard,
      loadFoods,
      now: () => performance.now(),
      newId: () => crypto.randomUUID(),
    }, call),
}));
