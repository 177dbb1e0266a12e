import { describeEngine } from '../model/test-support/engine-suite.ts';

describeEngine('Wasm');
describeEngine('JavaScript');
