// Proof that a request comes from Meta.

const encoder = new TextEncoder();

/** Whether `header` is "sha256=" and the HMAC of the body under the app's secret. Takes as long for a near miss. */
export async function isSigned(body: Uint8Array<ArrayBuffer>, header: string | null, secret: string): Promise<boolean> {
  const hex = /^sha256=([0-9a-f]{64})$/i.exec(header ?? "")?.[1];
  if (hex === undefined) {
    return false;
  }
  const signature = Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  return await crypto.subtle.verify("HMAC", await importKey(encoder.encode(secret)), signature, body);
}

/** Compared by their HMACs under a key made for this once, so that the time says nothing about where they differ. */
export async function isSame(one: string, other: string): Promise<boolean> {
  const key = await importKey(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.sign("HMAC", key, encoder.encode(one));
  return await crypto.subtle.verify("HMAC", key, digest, encoder.encode(other));
}

function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}
