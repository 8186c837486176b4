// For tests: whatever is written to the console as an error is one.

import { format } from "node:util";

console.error = (...parts: unknown[]) => {
  throw new Error(format(...parts));
};
