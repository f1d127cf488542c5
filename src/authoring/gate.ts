/**
 * `gate()`: a place in a `serial()` where a person says whether the run goes on, by the signals `<name>.approved` and
 * `<name>.rejected`.
 */

export interface GateOptions {
  /** Begins the names of its signals: a lower-case letter, then letters, digits and dashes. */
  readonly name: string;
  /** Shown to the person; Markdown. */
  readonly description?: string;
  /** Milliseconds after which the gate counts as rejected; it survives restarts. @default none */
  readonly deadline?: number;
}

export interface Gate extends GateOptions {
  readonly kind: 'gate';
}

const namePattern = /^[a-z][A-Za-z0-9-]{0,62}$/;

/**
 * @throws TypeError when the name or the deadline is not allowed
 * @example
 * serial({ id: 'letter', version: '1.0.0', steps: [write, gate({ name: 'approval' }), send] });
 */
export const gate = (options: GateOptions): Gate => {
  const { name, deadline } = options;
  if (!namePattern.test(name)) {
    throw new TypeError(
      `a gate's name is a lower-case letter, then up to 62 letters, digits and dashes, not "${name}"`,
    );
  }
  if (deadline !== undefined && !(Number.isSafeInteger(deadline) && deadline >= 1)) {
    throw new TypeError(
      `the deadline of the gate "${name}" is a whole number of milliseconds from 1, not ${deadline}`,
    );
  }
  return { kind: 'gate', ...options };
};
