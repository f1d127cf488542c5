/** What a run makes of a fact, as a value: what to append, and what the append makes true. */
import type { MachineAction, Transition } from './durable-machine.ts';
import type { JournalEvent } from './journal-events.ts';
import type { PendingFact } from './run-state.ts';

export interface Decision {
  /** The fact and its consequences, in the order of the append. */
  readonly events: readonly JournalEvent[];
  /** Where the machine goes, when the fact moves it. */
  readonly transition: Transition | undefined;
  readonly contextHash: string | undefined;
  /** Custom actions, to be called once after the append. */
  readonly notifications: readonly MachineAction[];
  /** The run is quarantined: the fact is kept for the resume, and moves nothing. */
  readonly held?: true;
  /** Facts from before that this decision takes, each after the event of that index. */
  readonly taken?: readonly { readonly pending: PendingFact; readonly after: number }[];
}
