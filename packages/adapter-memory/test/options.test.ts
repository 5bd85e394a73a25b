import { describe, expect, test } from '@jest/globals';
import { adapter, createMemoryBroker, type MemoryOptions, memory } from '../src/index.js';

const problem = (make: () => unknown): { code?: string; message?: string } => {
  try {
    make();
  } catch (error) {
    return error as { code: string; message: string };
  }
  return {};
};

describe('options', () => {
  test('none are needed', () => {
    expect(memory()).toMatchObject({ name: 'memory', capabilities: { limits: { maxBodyBytes: 4_194_304 } } });
    expect(adapter.optionsSchema.parse({})).toEqual({ topology: 'create' });
    expect(adapter.configure({ topology: 'create' }).name).toBe('memory');
  });

  test('the largest body is what the broker says', () => {
    expect(memory({ maxBodyBytes: 10 }).capabilities.limits.maxBodyBytes).toBe(10);
    expect(memory({ broker: createMemoryBroker({ maxBodyBytes: 20 }) }).capabilities.limits.maxBodyBytes).toBe(20);
  });

  test.each([
    [{ partitions: 0 }, /partitions: .*>=1.*found 0/],
    [{ partitions: 257 }, /partitions: .*<=256.*found 257/],
    [{ partitions: '8' }, /partitions: .*number.*found "8"/],
    [{ leaseMs: 99 }, /leaseMs: .*>=100.*found 99/],
    [{ leaseMs: 1.5 }, /leaseMs: .*int.*found 1.5/],
    [{ drainTimeoutMs: 0 }, /drainTimeoutMs: .*found 0/],
    [{ maxBodyBytes: 0 }, /maxBodyBytes: .*found 0/],
    [{ historyMaxMessages: -1 }, /historyMaxMessages: .*found -1/],
    [{ partition: 3 }, /unknown option 'partition', known are broker, topology, partitions/],
    [{ broker: {} }, /broker: must be what createMemoryBroker\(\) returned, found object/],
  ])('%j is refused, naming path, found and right', (options, message) => {
    const { code, message: text } = problem(() => memory(options as MemoryOptions));
    expect(code).toBe('INVALID_CONFIG');
    expect(text).toMatch(message);
  });

  test('settings of a shared broker are given where it is made', () => {
    const broker = createMemoryBroker();
    const { code, message } = problem(() => memory({ broker, partitions: 3 }));
    expect([code, message]).toEqual([
      'INVALID_CONFIG',
      expect.stringMatching(/partitions: belongs to createMemoryBroker\(\)/),
    ]);
    expect(problem(() => createMemoryBroker({ partitions: 0 })).message).toMatch(/createMemoryBroker\(\): partitions/);
  });
});
