/** What a fact answers: the id of the event in the run's own journal that asked for it, or empty. */
import type { Fact } from './journal-events.ts';
import type { RunState } from './run-state.ts';

export const causationOf = (state: RunState, fact: Fact): string => {
  switch (fact.type) {
    case 'TimerFired':
      return state.timers.get(fact.data.id)?.setBy ?? '';
    case 'ChildCompleted':
    case 'ChildFailed':
      return state.children.get(fact.data.run)?.spawnedBy ?? '';
    case 'SignalDelivered':
      return state.outbox.get(fact.data.id)?.sentBy ?? '';
    default: {
      const invocation = 'invocation' in fact.data ? fact.data.invocation : undefined;
      return state.steps.get(invocation ?? '')?.scheduledBy ?? '';
    }
  }
};
