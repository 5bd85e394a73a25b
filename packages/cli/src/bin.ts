#!/usr/bin/env node
import { main } from './main.js';
import { openMessaging } from './messaging-port.js';
import { processIo } from './process-io.js';

const code = await main(process.argv.slice(2), processIo(), openMessaging);
// Not before it is out: a pipe may take it later. Then at once: a silent standard input would keep the process.
process.stdout.write('', () => process.exit(code));
