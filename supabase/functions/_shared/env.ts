// What a function is told from outside. Nothing else reads the environment.

import { Problem } from "./problem.ts";

/** Where the project is. The anonymous key opens the API's door; who calls is said by the caller's own token. */
export interface Project {
  url: string;
  anonKey: string;
}

/** The project for the named steps that no user may do. */
export interface ServiceProject extends Project {
  serviceKey: string;
}

export interface WhatsappSecrets {
  verifyToken: string;
  appSecret: string;
}

/** Meta's Graph API, where pictures lie that people sent. */
export interface GraphSettings {
  url: string;
  token: string;
}

export interface GeminiSettings {
  url: string;
  key: string;
}

export function readProject(): Project {
  return { url: read("SUPABASE_URL"), anonKey: read("SUPABASE_ANON_KEY") };
}

export function readServiceProject(): ServiceProject {
  return { ...readProject(), serviceKey: read("SUPABASE_SERVICE_ROLE_KEY") };
}

export function readWhatsappSecrets(): WhatsappSecrets {
  return { verifyToken: read("WHATSAPP_VERIFY_TOKEN"), appSecret: read("WHATSAPP_APP_SECRET") };
}

/** Null where no token is set: then pictures are passed over. */
export function readGraph(): GraphSettings | null {
  const token = Deno.env.get("WHATSAPP_TOKEN");
  return token ? { url: Deno.env.get("WHATSAPP_GRAPH_URL") || "https://graph.facebook.com", token } : null;
}

export function readGemini(): GeminiSettings {
  return {
    url: Deno.env.get("GEMINI_URL") || "https://generativelanguage.googleapis.com",
    key: read("GEMINI_API_KEY"),
  };
}

/** Read for each request: a function whose setting is missing says so, and works as soon as it is there. */
function read(name: string): string {
  const value = Deno.env.get(name);
  if (!value) {
    throw new Problem({ status: 503, code: "not_configured", title: "This function is not configured." }, name);
  }
  return value;
}
