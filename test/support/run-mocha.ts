// `node test/support/run-mocha.ts KIND [FILE…] [OPTION…]`: mocha, in this process, with the suites of a kind or those named.
import { mochaArguments } from './mocha-arguments.ts';

const [kind = '', ...args] = process.argv.slice(2);
process.argv.splice(2, Infinity, ...mochaArguments(kind, args));
await import(import.meta.resolve('mocha/bin/mocha.js'));
