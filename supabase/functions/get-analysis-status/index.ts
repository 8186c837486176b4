import { readProject } from "../_shared/env.ts";
import { answering } from "../_shared/http.ts";
import { getStatus } from "./handler.ts";

Deno.serve(answering({ GET: (call) => getStatus(readProject(), call) }));
