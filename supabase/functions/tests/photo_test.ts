import { type PhotoType, photoTypeOf, withoutMetadata } from "../_shared/photo.ts";
import { assertEquals, assertProblem } from "./assert.ts";

const encoder = new TextEncoder();

function bytes(...parts: (number[] | string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...typeof part === "string" ? encoder.encode(part) : part]));
}

function segment(marker: number, content: string): Uint8Array {
  return bytes([0xff, marker, 0, content.length + 2], content);
}

function chunk(name: string, content: string): Uint8Array {
  return bytes([0, 0, 0, content.length], name, content, "crc.");
}

function part(name: string, content: string): Uint8Array {
  return bytes(name, [content.length, 0, 0, 0], content, content.length % 2 === 1 ? [0] : []);
}

function riff(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, each) => sum + each.length, 4);
  return bytes("RIFF", [length, 0, 0, 0], "WEBP", ...parts);
}

const JFIF = segment(0xe0, "JFIF\0..");
const COLOURS = [segment(0xe2, "ICC_PROFILE\0profile"), segment(0xee, "Adobe....")];
const SCAN = bytes(segment(0xda, "..."), [1, 0xff, 0, 2, 0xff, 0xd3, 3]);
const TABLE = segment(0xc4, "huffman");
const JPEG = bytes([0xff, 0xd8], JFIF, ...COLOURS, TABLE, SCAN, TABLE, SCAN, [0xff, 0xd9]);
const PNG_HEAD = bytes([0x89], "PNG\r\n", [0x1a], "\n");
const PNG = bytes(PNG_HEAD, chunk("IHDR", "h"), chunk("tRNS", "t"), chunk("IDAT", "d"), chunk("IEND", ""));
const WEBP = riff(part("VP8X", "\x10........."), part("ALPH", "odd"), part("VP8 ", "picture!"));

const DIRTY: [string, PhotoType, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>][] = [
  [
    "a JPEG loses EXIF, XMP, IPTC, comments, unknown segments and what follows its end",
    "image/jpeg",
    bytes(
      [0xff, 0xd8],
      JFIF,
      ...[segment(0xe1, "Exif\0\0GPS"), segment(0xe1, "http://ns.adobe.com/xap"), segment(0xed, "Photoshop")],
      ...[segment(0xfe, "me"), segment(0xe2, "MPF\0"), segment(0xe0, "JFXX\0"), segment(0xe5, "?")],
      ...COLOURS,
      TABLE,
      [0xff], // padding
      SCAN,
      segment(0xfe, "between scans"),
      TABLE,
      SCAN,
      [0xff, 0xd9],
      "a whole video",
    ),
    JPEG,
  ],
  [
    "a PNG loses text, EXIF, time, unknown chunks and what follows its end",
    "image/png",
    bytes(
      PNG_HEAD,
      ...[chunk("IHDR", "h"), chunk("tEXt", "me"), chunk("zTXt", "me"), chunk("iTXt", "me"), chunk("eXIf", "GPS")],
      ...[chunk("tIME", "now"), chunk("prVt", "?"), chunk("tRNS", "t"), chunk("IDAT", "d"), chunk("IEND", "")],
      "a whole video",
    ),
    PNG,
  ],
  [
    "a WebP loses EXIF and XMP, the flags that announce them, and what follows its end",
    "image/webp",
    bytes(
      riff(
        part("VP8X", "\x1c........."),
        part("ALPH", "odd"),
        part("EXIF", "GPS"),
        part("VP8 ", "picture!"),
        part("XMP ", "me"),
        part("????", "?"),
      ),
      "a whole video",
    ),
    WEBP,
  ],
];

for (const [what, type, dirty, clean] of DIRTY) {
  Deno.test(what, () => {
    assertEquals(photoTypeOf(dirty), type);
    assertEquals([...withoutMetadata(dirty, type)], [...clean]);
    assertEquals([...withoutMetadata(clean, type)], [...clean]);
  });

  Deno.test(`${type}: what is cut off anywhere is refused`, async () => {
    for (let length = 12; length < clean.length; length++) {
      await assertProblem(() => withoutMetadata(clean.slice(0, length), type), 400, "invalid_request", "input");
    }
  });
}

Deno.test("what is no photo has no type", () => {
  for (const other of ["", "GIF89a", "%PDF-1.7", "RIFF....WAVE", "<svg>"]) {
    assertEquals(photoTypeOf(bytes(other)), null);
  }
});
