// One line of JSON for whatever is worth a line. Never bodies, tokens, phones or keys.

export type Log = (event: string, about?: Record<string, string | number | boolean | undefined>) => void;

export function logFor(requestId: string): Log {
  return (event, about = {}) => console.log(JSON.stringify({ event, request_id: requestId, ...about }));
}
