#!/usr/bin/env node
import { launch } from '../../bin/launch.js';

await launch(new URL('../src/gateway/main.ts', import.meta.url).href);
