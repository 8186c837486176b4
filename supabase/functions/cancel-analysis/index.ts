import { readProject } from "../_shared/env.ts";
import { answering } from "../_shared/http.ts";
import { cancel } from "./handler.ts";

Deno.serve(answering({ POST: (call) => cancel(readProject(), call) }));
