import type { SupabaseClient } from "@supabase/supabase-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { downscale } from "./downscale.ts";
import { createUploader } from "./upload.ts";

const aPhoto = (size = 1_000, type = "image/jpeg") => new File([new Uint8Array(size)], "prato.heic.jpg", { type });

describe("a photo", () => {
  const close = vi.fn();
  let smaller: { width: number; height: number; bytes: number };
  beforeEach(() => {
    smaller = { width: 0, height: 0, bytes: 100 };
    vi.stubGlobal("createImageBitmap", async () => ({ width: 4_000, height: 3_000, close }));
    vi.stubGlobal("OffscreenCanvas", class {
      constructor(width: number, height: number) {
        Object.assign(smaller, { width, height });
      }
      getContext = () => ({ drawImage: () => {} });
      convertToBlob = async () => new Blob([new Uint8Array(smaller.bytes)], { type: "image/jpeg" });
    });
  });

  test("is made as small as it may be, and keeps its shape", async () => {
    const made = await downscale(aPhoto(), 1_280);
    expect([smaller.width, smaller.height]).toEqual([1_280, 960]);
    expect([made.name, made.type, made.size]).toEqual(["prato.heic.jpg", "image/jpeg", 100]);
    expect(close).toHaveBeenCalled();
  });

  test.each([
    ["is small already", 5_000, 100, "image/jpeg"],
    ["would get larger", 1_280, 2_000, "image/jpeg"],
    ["is a PDF", 1_280, 100, "application/pdf"],
  ])("that %s is sent as it is", async (_why, longest, bytes, type) => {
    smaller.bytes = bytes;
    const file = aPhoto(1_000, type);
    expect(await downscale(file, longest)).toBe(file);
  });

  test("that this browser cannot open is sent as it is: the worker may", async () => {
    vi.stubGlobal("createImageBitmap", () => Promise.reject(new Error("cannot decode")));
    const file = aPhoto();
    expect(await downscale(file, 1_280)).toBe(file);
  });
});

describe("an upload", () => {
  let requests: FakeRequest[];
  class FakeRequest {
    status = 200;
    headers: Record<string, string> = {};
    target = "";
    body: unknown;
    upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
    onload?: () => void;
    onerror?: () => void;
    onabort?: () => void;
    open = (method: string, url: string) => (this.target = `${method} ${url}`);
    setRequestHeader = (name: string, value: string) => (this.headers[name] = value);
    send = (body: unknown) => {
      this.body = body;
      requests.push(this);
    };
    abort = () => this.onabort?.();
  }
  beforeEach(() => {
    requests = [];
    vi.stubGlobal("XMLHttpRequest", FakeRequest);
  });
  afterEach(() => vi.useRealTimers());

  const session = { user: { id: "me" }, access_token: "token" };
  const uploader = (signedIn: object | null = session) =>
    createUploader(
      { auth: { getSession: async () => ({ data: { session: signedIn } }) } } as unknown as SupabaseClient,
      { url: "http://127.0.0.1", key: "anon" },
    );
  const begun = async (file = aPhoto(), abort = new AbortController()) => {
    const onProgress = vi.fn();
    const promise = uploader()(file, { onProgress, signal: abort.signal });
    promise.catch(() => {});
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    return { promise, onProgress, abort, request: requests[0] as FakeRequest };
  };

  test("goes into the user's own folder, as the user, and tells how far it is", async () => {
    const { promise, onProgress, request } = await begun();
    expect(request.target).toMatch(/^POST http:\/\/127\.0\.0\.1\/storage\/v1\/object\/analysis-inputs\/me\/[\w-]{36}\.jpg$/);
    expect(request.headers).toEqual({ apikey: "anon", authorization: "Bearer token", "content-type": "image/jpeg" });
    request.upload.onprogress?.({ loaded: 25, total: 100 });
    expect(onProgress).toHaveBeenCalledExactlyOnceWith(0.25);
    request.onload?.();
    expect(await promise).toEqual({
      bucket: "analysis-inputs",
      path: expect.stringMatching(/^me\/[\w-]{36}\.jpg$/),
    });
  });

  test.each([
    [413, "file_too_large"],
    [415, "unsupported_file"],
    [403, "forbidden"],
    [503, "unavailable"],
  ])("that is answered with %i is %s", async (status, code) => {
    const { promise, request } = await begun();
    request.status = status;
    request.onload?.();
    await expect(promise).rejects.toMatchObject({ code, retryable: status >= 500 });
  });

  test("that is cut off can be tried again", async () => {
    const { promise, request } = await begun();
    request.onerror?.();
    await expect(promise).rejects.toMatchObject({ code: "unavailable", retryable: true });
  });

  test("stops when it is aborted", async () => {
    const { promise, abort } = await begun();
    abort.abort();
    await expect(promise).rejects.toMatchObject({ code: "cancelled" });
  });

  test.each([
    ["too large", aPhoto(20 * 1024 * 1024 + 1), "file_too_large"],
    ["of another kind", aPhoto(1, "text/plain"), "unsupported_file"],
  ])("of a file that is %s is not begun", async (_what, file, code) => {
    const options = { onProgress: () => {}, signal: new AbortController().signal };
    await expect(uploader()(file, options)).rejects.toMatchObject({ code });
    expect(requests).toEqual([]);
  });

  test("of nobody is not begun", async () => {
    const options = { onProgress: () => {}, signal: new AbortController().signal };
    await expect(uploader(null)(aPhoto(), options)).rejects.toMatchObject({ code: "not_signed_in" });
  });
});
