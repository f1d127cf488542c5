/** How durations, counts, money and times are written for people. */
import type { StepUsage } from '../core/step-history.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** `0.4 s`, `12 s`, `3 m 20 s`, `2 h 5 m`, `3 d 4 h`. */
export const duration = (milliseconds: number): string => {
  const ms = Math.max(milliseconds, 0);
  if (ms < 10 * second) return `${(ms / second).toFixed(1)} s`;
  if (ms < minute) return `${Math.round(ms / second)} s`;
  if (ms < hour) return `${Math.floor(ms / minute)} m ${Math.floor((ms % minute) / second)} s`;
  if (ms < day) return `${Math.floor(ms / hour)} h ${Math.floor((ms % hour) / minute)} m`;
  return `${Math.floor(ms / day)} d ${Math.floor((ms % day) / hour)} h`;
};

export const between = (from: string, to: string): string =>
  duration(Date.parse(to) - Date.parse(from));

/** How long ago something was: `3 m ago`, in its largest unit. */
export const ago = (iso: string, now: number): string => {
  const ms = Math.max(now - Date.parse(iso), 0);
  if (ms < minute) return `${Math.floor(ms / second)} s ago`;
  if (ms < hour) return `${Math.floor(ms / minute)} m ago`;
  if (ms < day) return `${Math.floor(ms / hour)} h ago`;
  return `${Math.floor(ms / day)} d ago`;
};

const grouped = new Intl.NumberFormat('en-US');

export const count = (value: number): string => grouped.format(value);

export const bytes = (value: number): string => {
  if (value < 1024) return `${value} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let size = value / 1024;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size.toFixed(1)} ${units[unit]!}`;
};

/** To the cent, or to what is left below it. */
export const usd = (value: number): string =>
  value === 0 || value >= 1 ? `$${value.toFixed(2)}` : `$${Number(value.toPrecision(2))}`;

/** Cost that is known, and how many calls are not in it. */
export const cost = ({ usd: known, unpriced }: Pick<StepUsage, 'usd' | 'unpriced'>): string => {
  if (unpriced === 0) return usd(known);
  const unknown = `cost of ${unpriced} ${unpriced === 1 ? 'call' : 'calls'} unknown`;
  return known === 0 ? unknown : `${usd(known)} and the ${unknown}`;
};

/** `1,204 in, 512 out`. */
export const tokens = (usage: { inputTokens: number; outputTokens: number }): string =>
  `${count(usage.inputTokens)} in, ${count(usage.outputTokens)} out`;

/** `2026-10-24 14:03:07`, in UTC. */
export const instant = (iso: string): string => iso.slice(0, 19).replace('T', ' ');

/** A state value in one line: `review`, `working.draft`, `{a.b, c}`. */
export const stateText = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const parts = Object.entries(value).map(([name, inner]) => {
    const below = stateText(inner);
    return below === '' ? name : `${name}.${below}`;
  });
  if (parts.length < 2) return parts[0] ?? '';
  return `{${parts.join(', ')}}`;
};

/** An argument of a shell command, quoted where it must be. */
export const quoted = (argument: string): string =>
  /^[\w./:@%+=,~#-]+$/.test(argument)
    ? argument
    : `'${argument.replaceAll("'", String.raw`'\''`)}'`;
