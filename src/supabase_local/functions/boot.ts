// Runs one function. Argument: its module. Says where it listens in a line of its own on standard output, and ends
// when standard input does, so that no process outlives the stack that began it, however that one ended.

type Handler = Deno.ServeHandler<Deno.NetAddr>;

const listen = Deno.serve;
let serving = false;

/** Takes what the function would listen on, and listens on a free port of this machine instead. */
function serve(...args: unknown[]): unknown {
  serving = true;
  const options = args.find((each) => typeof each === "object") as { handler?: Handler } | undefined;
  const handler = args.find((each) => typeof each === "function") as Handler | undefined ?? options?.handler;
  return listen({
    hostname: "127.0.0.1",
    port: 0,
    handler: handler as Handler,
    onListen: ({ port }) => console.log(`@supabase-local listening ${port}`),
  });
}

Object.defineProperty(Deno, "serve", { value: serve });
await import(Deno.args[0]);
if (!serving) {
  console.error("the function does not call Deno.serve");
  Deno.exit(1);
}
await Deno.stdin.readable.pipeTo(new WritableStream());
Deno.exit(0);
