// `node test/support/run-mocha.ts KIND [FILE…] [OPTION…]`: mocha with the suites of a kind or those named.
import { clusterConfig } from '../cluster/cluster-config.ts';
import { mochaArguments } from './mocha-arguments.ts';

const [kind = '', ...args] = process.argv.slice(2);
const sharedCluster = clusterConfig(process.env).kubeconfig !== undefined;
process.argv.splice(2, Infinity, ...mochaArguments(kind, args, sharedCluster));
await import(import.meta.resolve('mocha/bin/mocha.js'));
