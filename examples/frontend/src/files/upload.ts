// Straight from the browser to Storage, with progress: fetch cannot tell how much of a body it has sent.

import type { SupabaseClient } from "@supabase/supabase-js";
import { AnalysisFailure } from "use-async-analysis";
import type { StoredFile } from "../contracts.ts";

export const ACCEPTED = ["image/jpeg", "image/png", "image/webp", "application/pdf"];
export const MAX_BYTES = 20 * 1024 * 1024;

export interface UploadOptions {
  /** 0 to 1. */
  onProgress: (share: number) => void;
  signal: AbortSignal;
}
export type UploadFile = (file: File, options: UploadOptions) => Promise<StoredFile>;

export interface StorageAddress {
  url: string;
  key: string;
}

const BUCKET = "analysis-inputs";
const EXTENSIONS: Record<string, string> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "application/pdf": "pdf",
};

export function createUploader(supabase: SupabaseClient, { url, key }: StorageAddress): UploadFile {
  return async (file, options) => {
    checkFile(file);
    const { data } = await supabase.auth.getSession();
    if (!data.session) throw new AnalysisFailure("not_signed_in", "Sign in first.", true);
    // The user's own folder; the name says nothing about the user, and is never used twice.
    const path = `${data.session.user.id}/${crypto.randomUUID()}.${EXTENSIONS[file.type]}`;
    const headers = { apikey: key, authorization: `Bearer ${data.session.access_token}`, "content-type": file.type };
    await send(`${url}/storage/v1/object/${BUCKET}/${path}`, headers, file, options);
    return { bucket: BUCKET, path };
  };
}

export function checkFile({ type, size }: File): void {
  if (!ACCEPTED.includes(type)) throw new AnalysisFailure("unsupported_file", `${type} is not accepted.`);
  if (size > MAX_BYTES) throw new AnalysisFailure("file_too_large", `${size} bytes, at most ${MAX_BYTES}.`);
}

function send(url: string, headers: Record<string, string>, body: Blob, options: UploadOptions): Promise<void> {
  const { onProgress, signal } = options;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = () => (request.status < 300 ? resolve() : reject(failure(request.status)));
    request.onerror = () => reject(new AnalysisFailure("unavailable", "The upload was cut off.", true));
    request.onabort = () => reject(new AnalysisFailure("cancelled", "The upload was cancelled."));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    if (signal.aborted) request.abort();
    else request.send(body);
  });
}

function failure(status: number): AnalysisFailure {
  if (status === 413) return new AnalysisFailure("file_too_large", "Storage found it too large.");
  if (status === 415) return new AnalysisFailure("unsupported_file", "Storage does not take this type.");
  return new AnalysisFailure(status === 403 ? "forbidden" : "unavailable", `Storage: HTTP ${status}`, status >= 500);
}
