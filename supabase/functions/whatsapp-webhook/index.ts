import { readGraph, readServiceProject, readWhatsappSecrets } from "../_shared/env.ts";
import { answering } from "../_shared/http.ts";
import { receive, verifySubscription } from "./handler.ts";

Deno.serve(answering({
  GET: (call) => verifySubscription(readWhatsappSecrets(), call),
  POST: (call) => receive({ project: readServiceProject(), secrets: readWhatsappSecrets(), graph: readGraph() }, call),
}));
