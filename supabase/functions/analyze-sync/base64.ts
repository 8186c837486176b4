// Base64 of megabytes, where `btoa(String.fromCharCode(...bytes))` would pass more arguments than there may be.

const PIECE = 0x8000 * 3; // whole groups of three, so that no padding falls between pieces

export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += PIECE) {
    text += btoa(Array.from(bytes.subarray(start, start + PIECE), (byte) => String.fromCharCode(byte)).join(""));
  }
  return text;
}
