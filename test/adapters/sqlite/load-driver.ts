/** A process that loads the SQLite driver, and fails if that changed how warnings are given. */
import { loadDriver } from '../../../src/adapters/sqlite/driver.ts';

const before = Object.getOwnPropertyDescriptor(process, 'emitWarning');
loadDriver();
const after = Object.getOwnPropertyDescriptor(process, 'emitWarning');
if (before?.value !== after?.value) throw new Error('warnings are given in another way');
process.stdout.write('loaded\n');
