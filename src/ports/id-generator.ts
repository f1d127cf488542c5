/** Where identity and randomness come from. */

export interface IdGenerator {
  /** A new uuid v7: sortable by time, unique over processes. */
  uuid(): string;
}
