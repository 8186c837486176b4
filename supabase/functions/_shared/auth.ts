// Who calls. A token is judged where it is used: PostgREST checks its signature, the SQL function its user. Here it is
// only taken out, passed on, and read after somebody has accepted it.

import { isObject } from "./body.ts";
import { notSignedIn } from "./problem.ts";

const BEARER = /^bearer ([A-Za-z0-9_.~+/=-]{1,8192})$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The caller's token, unjudged; raises 401 where there is none. */
export function tokenOf(request: Request): string {
  const token = BEARER.exec(request.headers.get("authorization")?.trim() ?? "")?.[1];
  if (token === undefined) {
    throw notSignedIn();
  }
  return token;
}

/** Whose token it is. Only for a token that PostgREST has accepted: nothing is checked here. Raises 401 for a key. */
export function userOfAccepted(token: string): string {
  const claims = claimsOf(token);
  if (!isObject(claims) || typeof claims["sub"] !== "string" || !UUID.test(claims["sub"])) {
    throw notSignedIn();
  }
  return claims["sub"];
}

function claimsOf(token: string): unknown {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw notSignedIn();
  }
}
