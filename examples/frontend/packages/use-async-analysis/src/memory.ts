// Which job a page was waiting for, so that a reload, or a second tab, goes on with it. Ids alone: inputs are private.

export interface JobMemory {
  recall(): string | null;
  keep(jobId: string): void;
  forget(jobId: string): void;
}

export const NO_MEMORY: JobMemory = { recall: () => null, keep: () => {}, forget: () => {} };

/** In `localStorage`, under this name; nowhere where there is none, as on a server or in a private window. */
export function rememberAs(name: string): JobMemory {
  const key = `use-async-analysis:${name}`;
  const attempt = <R>(use: (storage: Storage) => R): R | null => {
    try {
      return use(localStorage);
    } catch {
      return null;
    }
  };
  return {
    recall: () => attempt((storage) => storage.getItem(key)),
    keep: (jobId) => attempt((storage) => storage.setItem(key, jobId)),
    // Another tab may have begun another job under this name.
    forget: (jobId) => attempt((storage) => storage.getItem(key) === jobId && storage.removeItem(key)),
  };
}
