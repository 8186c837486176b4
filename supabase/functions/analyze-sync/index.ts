import { loadContract } from "../_shared/contract.ts";
import { readGemini, readServiceProject } from "../_shared/env.ts";
import { answering } from "../_shared/http.ts";
import { analyze } from "./handler.ts";

Deno.serve(answering({
  POST: (call) =>
    analyze({
      project: readServiceProject(),
      gemini: readGemini,
      loadContract,
      now: () => performance.now(),
      newId: () => crypto.randomUUID(),
    }, call),
}));
