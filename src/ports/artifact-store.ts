/**
 * Content-addressed blobs: large payloads, files that enter a run, documents that leave it.
 *
 * 1. The address is the sha-256 of the content, so the same content is stored once and never changes.
 * 2. A blob is durable before `put` resolves; an event that names it is appended after that.
 */

export interface ArtifactStore {
  /**
   * Stores the content under its address; storing it twice is one blob.
   * @throws EclError `input.too-large` beyond 16 MiB
   */
  put(content: Uint8Array): Promise<{ sha256: string; bytes: number }>;

  /** @throws EclError `artifact.not-found`, `artifact.corrupt` */
  get(sha256: string): Promise<Uint8Array>;

  has(sha256: string): Promise<boolean>;

  /** A path or URL where a person finds the blob. */
  locate(sha256: string): string;
}
