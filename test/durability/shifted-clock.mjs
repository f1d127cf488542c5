/**
 * Preloaded into a process: its wall clock stands as far off as a file says, and jumps on SIGUSR2, when the file is read
 * again. Timers of Node go on by real time, as they do when a clock is set.
 */
import { readFileSync } from 'node:fs';

const RealDate = globalThis.Date;
let offsetMs = 0;
const read = () => {
  offsetMs = Number(readFileSync(process.env.ECL_TEST_CLOCK, 'utf8'));
};
read();
process.on('SIGUSR2', read);

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + offsetMs);
    else super(...args);
  }

  static now() {
    return RealDate.now() + offsetMs;
  }
};
