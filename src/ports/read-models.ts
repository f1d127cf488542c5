/** The read models as the runtime uses them: folded by somebody, asked by it. */
import type { RunDirectory } from './run-directory.ts';

export interface ReadModels {
  readonly directory: RunDirectory;
  /** Names of the projections that are kept. */
  readonly names: readonly string[];
  /** Resolves when the rows show all that is stored now. */
  caughtUp(): Promise<void>;
  /**
   * Folds a projection from nothing, while the old rows go on answering.
   * @throws EclError `usage.invalid` when it is not kept
   */
  rebuild(
    name: string,
    onProgress?: (progress: { readonly position: bigint; readonly end: bigint }) => void,
  ): Promise<void>;
  close(): Promise<void>;
}
