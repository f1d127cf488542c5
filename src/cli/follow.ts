/**
 * Follows what is stored while a command drives a run, and says it on stderr.
 *
 * It listens from before the run starts, so that nothing is missed; what other runs of the same workflow do is left out.
 */
import { runIdOfStream } from '../core/ids.ts';
import type { PublicEvent } from '../runtime/event-feed.ts';
import { Progress } from './progress.ts';
import type { Runs } from './runs.ts';
import type { Terminal } from './terminal.ts';

const tickMs = 1_000;
/** After the run is known to rest, its last events come within this time of each other. */
const quietMs = 100;
const pollMs = 5;

const isOfFamily = (run: string, root: string): boolean =>
  run === root || run.startsWith(`${root}~`);

export class Follow {
  readonly #terminal: Terminal;
  readonly #runs: Pick<Runs, 'events'>;
  readonly #progress = new Progress();
  readonly #stop = new AbortController();
  readonly #early: PublicEvent[] = [];
  readonly #done: Promise<void>;
  readonly #arrived = new Map<string, number>();
  #root: string | undefined;
  #ticker: NodeJS.Timeout | undefined;

  constructor(
    terminal: Terminal,
    runs: Pick<Runs, 'events'>,
    of: { workflow: string; tenant?: string | undefined },
  ) {
    this.#terminal = terminal;
    this.#runs = runs;
    const { workflow, tenant } = of;
    const events = runs.events({
      from: 'end',
      live: true,
      workflow,
      ...(tenant === undefined ? {} : { tenant }),
      signal: this.#stop.signal,
    });
    this.#done = terminal.json ? Promise.resolve() : this.#listen(events);
  }

  /**
   * Says what happens to this run and those below it, from now on.
   *
   * @param known revision up to which the run was there before: read for its open steps, and not said again
   */
  async show(root: string, known = -1): Promise<void> {
    if (known >= 0 && !this.#terminal.json) {
      for await (const event of this.#runs.events({ run: root })) {
        if (event.revision > known) break;
        this.#progress.take(event);
        this.#arrived.set(root, event.revision);
      }
    }
    this.#root = root;
    for (const event of this.#early.splice(0)) this.#take(event);
    if (!this.#terminal.isWatched) return;
    this.#ticker = setInterval(() => {
      this.#terminal.transient(this.#progress.now(Date.now()) ?? '');
    }, tickMs);
    this.#ticker.unref();
  }

  /** Ends, after what is stored up to this revision was said. */
  async end(run: string, revision: number): Promise<void> {
    let arrived = this.#arrived.get(run) ?? -1;
    for (let quiet = 0; !this.#terminal.json && quiet < quietMs && arrived < revision;) {
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      const now = this.#arrived.get(run) ?? -1;
      quiet = now > arrived ? 0 : quiet + pollMs;
      arrived = now;
    }
    await this.stop();
  }

  async stop(): Promise<void> {
    clearInterval(this.#ticker);
    this.#stop.abort();
    await this.#done;
    this.#terminal.transient('');
  }

  async #listen(events: AsyncIterable<PublicEvent>): Promise<void> {
    try {
      for await (const event of events) {
        if (this.#root === undefined) this.#early.push(event);
        else this.#take(event);
      }
    } catch {
      // Progress is a courtesy: the run does not depend on it, and what is wrong with the store shows elsewhere.
    }
  }

  #take(event: PublicEvent): void {
    const run = runIdOfStream(event.stream);
    if (run === undefined || this.#root === undefined || !isOfFamily(run, this.#root)) return;
    if (event.revision <= (this.#arrived.get(run) ?? -1)) return;
    this.#arrived.set(run, event.revision);
    for (const text of this.#progress.take(event)) this.#terminal.progress(text);
  }
}
