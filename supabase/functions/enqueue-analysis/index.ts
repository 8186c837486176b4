import { readProject } from "../_shared/env.ts";
import { answering } from "../_shared/http.ts";
import { enqueue } from "./handler.ts";

Deno.serve(answering({ POST: (call) => enqueue(readProject(), call) }));
