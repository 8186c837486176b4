// Photos as they may leave the house: without what cameras and programs write into them (place, time, device, names).
//
// Nothing is decoded, which two seconds of CPU would not allow. Of each format the parts that make the picture are kept,
// and every other part is left out, so that a kind of metadata that nobody has thought of stays here, too. What comes
// after the picture's end (a video, another picture) goes with them. The turn that EXIF asks for is lost.

import { Problem } from "./problem.ts";

type Bytes = Uint8Array<ArrayBuffer>;
export type PhotoType = "image/jpeg" | "image/png" | "image/webp";

const MAGIC: readonly [PhotoType, string][] = [ // the first bytes in hexadecimal; a dot is any digit
  ["image/jpeg", "ffd8ff"],
  ["image/png", "89504e470d0a1a0a"],
  ["image/webp", "52494646........57454250"],
];
const PNG_KEPT = ["IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "cICP"];
const WEBP_KEPT = ["VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP"];
const WEBP_METADATA_FLAGS = 0x08 | 0x04; // EXIF, XMP

/** By what it is, not by what it is called; null for anything else. */
export function photoTypeOf(bytes: Uint8Array): PhotoType | null {
  const head = Array.from(bytes.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return MAGIC.find(([, magic]) => new RegExp(`^${magic}`).test(head))?.[0] ?? null;
}

/** Raises 400 where the file is cut off or not of its format. */
export function withoutMetadata(bytes: Bytes, type: PhotoType): Bytes {
  switch (type) {
    case "image/jpeg":
      return joined(jpegParts(bytes));
    case "image/png":
      return joined(pngParts(bytes));
    case "image/webp":
      return webpOf(bytes);
  }
}

function* jpegParts(bytes: Bytes): Iterable<Bytes> {
  yield bytes.subarray(0, 2);
  let at = 2;
  while (true) {
    if (byteAt(bytes, at) !== 0xff) {
      throw unreadable();
    }
    const marker = byteAt(bytes, at + 1);
    if (marker === 0xff) { // padding
      at += 1;
      continue;
    }
    if (marker === 0xd9) {
      yield bytes.subarray(at, at + 2);
      return;
    }
    const length = (byteAt(bytes, at + 2) << 8) | byteAt(bytes, at + 3);
    const end = within(bytes, at + 2 + Math.max(length, 2));
    if (isJpegKept(marker, bytes.subarray(at + 4, end))) {
      yield bytes.subarray(at, end);
    }
    at = end;
    if (marker === 0xda) {
      at = endOfScan(bytes, end);
      yield bytes.subarray(end, at);
    }
  }
}

/** Of the segments for applications JFIF, the colour profile and Adobe's word on colours; no comments. */
function isJpegKept(marker: number, content: Uint8Array): boolean {
  const isApplications = marker >= 0xe0 && marker <= 0xef;
  const starts = (name: string) => textAt(content, 0, name.length) === name;
  return isApplications
    ? (marker === 0xe0 && starts("JFIF\0")) || (marker === 0xe2 && starts("ICC_PROFILE\0")) ||
      (marker === 0xee && starts("Adobe"))
    : marker !== 0xfe;
}

/** The next marker that is neither a stuffed byte nor a restart. */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = byteAt(bytes, at + 1);
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) {
      return at;
    }
  }
  throw unreadable();
}

function* pngParts(bytes: Bytes): Iterable<Bytes> {
  yield bytes.subarray(0, 8);
  for (let at = 8, name = ""; name !== "IEND";) {
    name = textAt(bytes, at + 4, 4);
    const end = within(bytes, at + 12 + numberAt(bytes, at, false));
    if (PNG_KEPT.includes(name)) {
      yield bytes.subarray(at, end);
    }
    at = end;
  }
}

function webpOf(bytes: Bytes): Bytes {
  const file = joined(webpParts(bytes));
  new DataView(file.buffer).setUint32(4, file.length - 8, true);
  return file;
}

function* webpParts(bytes: Bytes): Iterable<Bytes> {
  yield bytes.slice(0, 12);
  const whole = within(bytes, 8 + numberAt(bytes, 4, true));
  for (let at = 12; at + 8 <= whole;) {
    const length = numberAt(bytes, at + 4, true);
    const end = within(bytes, at + 8 + length + length % 2);
    const name = textAt(bytes, at, 4);
    if (WEBP_KEPT.includes(name)) {
      const part = bytes.slice(at, end);
      if (name === "VP8X") {
        part[8] = byteAt(part, 8) & ~WEBP_METADATA_FLAGS;
      }
      yield part;
    }
    at = end;
  }
}

function joined(parts: Iterable<Bytes>): Bytes {
  const all = [...parts];
  const whole = new Uint8Array(all.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of all) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) {
    throw unreadable();
  }
  return byte;
}

function numberAt(bytes: Uint8Array, at: number, isLittleEndian: boolean): number {
  const four = bytes.slice(at, within(bytes, at + 4));
  return new DataView(four.buffer).getUint32(0, isLittleEndian);
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

function within(bytes: Uint8Array, end: number): number {
  if (end > bytes.length) {
    throw unreadable();
  }
  return end;
}

function unreadable(): Problem {
  const title = "The picture cannot be read.";
  return new Problem({ status: 400, code: "invalid_request", title, field: "input" });
}
