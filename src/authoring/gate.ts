/**
 * `gate()`: a place in a `serial()` where a person says whether the run goes on, by the signals `<name>.approved` and
 * `<name>.rejected`.
 */

export interface GateOptions {
  /** Begins the names of its signals. */
  readonly name: string;
  /** Shown to the person; Markdown. */
  readonly description?: string;
  /** Milliseconds after which the gate counts as rejected; it survives restarts. @default none */
  readonly deadline?: number;
}

export interface Gate extends GateOptions {
  readonly kind: 'gate';
}

export const gate = (options: GateOptions): Gate => ({ kind: 'gate', ...options });
