import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

test('loading and configuring the adapter does not load kafkajs', async () => {
  const index = fileURLToPath(new URL('../src/index.js', import.meta.url));
  const script = `
    const { kafka } = await import(${JSON.stringify(index)});
    kafka({ brokers: ['127.0.0.1:9092'] });
    const { default: Module } = await import('node:module');
    console.log(Object.keys(Module._cache).filter((file) => file.includes('kafkajs')).length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout.trim()).toBe('0');
});
