// A signed-in client for the stack that `config.json`, beside the page, or Vite's environment names.

import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { StorageAddress } from "../files/upload.ts";

export interface Config extends StorageAddress {
  /** The types that the function `analyze-sync` can do here; the others wait for a worker. */
  synchronous?: readonly string[];
}

export interface Connected {
  supabase: SupabaseClient;
  config: Config;
}

export async function connect(): Promise<Connected> {
  const config = await readConfig();
  const supabase = createClient(config.url, config.key);
  const { data } = await supabase.auth.getSession();
  if (!data.session) {
    const { error } = await supabase.auth.signInAnonymously();
    if (error) throw error;
  }
  return { supabase, config };
}

async function readConfig(): Promise<Config> {
  const { VITE_SUPABASE_URL: url, VITE_SUPABASE_ANON_KEY: key } = import.meta.env;
  if (url && key) return { url, key };
  const response = await fetch("config.json");
  if (!response.ok) throw new Error("There is no config.json, and VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY are not set.");
  return (await response.json()) as Config;
}
