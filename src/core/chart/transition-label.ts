/** What a transition reacts to and when it is taken, in the words of a diagram. */
import type { AnyStateNode, TransitionDefinition } from 'xstate';
import { guardName } from '../export-config.ts';

export type AnyTransition = TransitionDefinition<never, never>;

/** In the order in which the machine tries them. */
export const transitionsOf = (node: AnyStateNode): AnyTransition[] =>
  [...[...node.transitions.values()].flat(), ...(node.always ?? [])] as unknown as AnyTransition[];

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** The largest unit that says it exactly: `90 s`, `2 min`, `1500 ms`. */
const durationLabel = (ms: number): string => {
  const [unit, size] = units.find(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1];
  return `${ms / size} ${unit}`;
};

const delayLabel = (delay: unknown, fallback: string): string => {
  if (typeof delay === 'number') return durationLabel(delay);
  return typeof delay === 'string' ? delay : fallback;
};

export interface Invoked {
  readonly id: string;
  readonly src: unknown;
}

/** Undefined for logic that stands in the config itself. */
export const invokedName = ({ src }: Invoked): string | undefined =>
  typeof src === 'string' && !src.startsWith('xstate.invoke.') ? src : undefined;

/** The id that a person gave it; the one that XState makes up, `0.flow.draft`, says less than the name. */
export const invokedId = (invoked: Invoked): string =>
  /^\d+\./.test(invoked.id) ? (invokedName(invoked) ?? 'actor') : invoked.id;

/** Of what, only where it could be of more than one. */
const outcomeLabel = (node: AnyStateNode, outcome: string, id: string): string => {
  const invoked = node.invoke.find((each) => each.id === id);
  const isOnly = node.invoke.length === 1 && Object.keys(node.states).length === 0;
  return invoked === undefined || isOnly ? outcome : `${outcome} (${invokedId(invoked)})`;
};

/** `review.approved`, `done`, `error`, `after 60 s`, `always`. */
export const eventLabel = (node: AnyStateNode, transition: AnyTransition): string => {
  const { eventType } = transition;
  const after = /^xstate\.after\.(.+?)\./.exec(eventType);
  if (after !== null) {
    const { delay } = transition as unknown as { delay?: unknown };
    return `after ${delayLabel(delay, after[1]!)}`;
  }
  const outcome = /^xstate\.(done|error|snapshot)\.(?:actor|state|)\.?(.*)$/.exec(eventType);
  if (outcome !== null) return outcomeLabel(node, outcome[1]!, outcome[2]!);
  return (eventType as string) === '' ? 'always' : eventType;
};

/** The guard's name; `else` where only the transitions before it have one. */
export const guardLabel = (
  transition: AnyTransition,
  siblings: readonly AnyTransition[],
): string | undefined => {
  if (transition.guard !== undefined) return guardName(transition.guard);
  const [first] = siblings.filter(({ eventType }) => eventType === transition.eventType);
  return first?.guard === undefined ? undefined : 'else';
};
