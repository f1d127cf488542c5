/** Time comes in through here, so that a test can move it and replay never meets it. */

export interface Clock {
  /** Milliseconds since 1970, from the wall clock at the moment of the call. */
  now(): number;

  /**
   * Calls back once, when the wall clock shows `at` or later: never early, also for delays beyond 24.8 days and
   * when the wall clock jumps (a jump is noticed within a second).
   * @returns a function that cancels it
   */
  schedule(at: number, callback: () => void): () => void;
}
