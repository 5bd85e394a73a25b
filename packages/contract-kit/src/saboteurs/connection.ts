import type { Adapter, AdapterRuntime } from '@anymq/core/adapter';
import { type Saboteur, saboteur } from './saboteur.js';

/** Connects, and does `react` with the error where that fails. */
const connecting = (react: (error: Error) => never) => ({
  adapter: (adapter: Adapter) => ({
    connect: (signal: AbortSignal) => adapter.connect(signal).catch(react),
  }),
});

/** What goes wrong with a connection, and with what is said about it. */
export const connection: readonly Saboteur[] = [
  saboteur(
    {
      name: 'hides-that-the-connection-is-down',
      laws: [16],
      does: 'announces that the connection came up, never that it went down',
      seen: 'no alarm during an outage',
      killedBy: ['RC18'],
    },
    () => ({
      runtime: (runtime: AdapterRuntime) => ({
        connection: (state, error) => state === 'up' && runtime.connection(state, error),
      }),
    }),
  ),
  saboteur(
    {
      name: 'announces-twice',
      laws: [16],
      does: 'announces every change of the connection twice',
      seen: 'metrics and alarms that count double',
      killedBy: ['CO5', 'RC18'],
    },
    () => ({
      runtime: (runtime: AdapterRuntime) => ({
        connection: (state, error) => {
          runtime.connection(state, error);
          runtime.connection(state, error);
        },
      }),
    }),
  ),
  saboteur(
    {
      name: 'is-always-healthy',
      laws: [16],
      does: 'says that the broker answers without asking it',
      seen: 'a service without a broker stays in the load balancer',
      killedBy: ['AD8'],
    },
    () => ({ adapter: () => ({ health: async () => ({ ready: true, latencyMs: 0 }) }) }),
  ),
  saboteur(
    {
      name: 'stays-away-after-an-outage',
      laws: [16],
      does: 'delivers nothing any more once it lost its connection',
      seen: 'a service must be restarted after every outage of the broker',
      killedBy: ['RC11'],
    },
    () => {
      let away = false;
      return {
        runtime: (runtime: AdapterRuntime) => ({
          connection: (state, error) => {
            away ||= state === 'down';
            runtime.connection(state, error);
          },
        }),
        member: ({ sink }) => ({ sink: { deliver: (records) => away || sink.deliver(records) } }),
        reader: ({ sink }) => ({
          sink: {
            read: async (records) => {
              if (!away) await sink.read(records);
            },
          },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'swallows-a-deleted-topic',
      laws: [16],
      does: 'says nothing when it cannot receive any more',
      seen: 'a consumer that looks well and gets nothing, until it is restarted',
      killedBy: ['RC19'],
    },
    () => ({ member: () => ({ sink: { failed: () => {} } }) }),
  ),
  saboteur(
    {
      name: 'leaks-a-timer',
      laws: [15],
      does: 'leaves its heartbeat running when it is closed',
      seen: 'a process that does not end, a test runner that hangs',
      killedBy: ['SB5'],
    },
    () => ({
      adapter: (adapter, { clock }) => ({
        connect: async (signal) => {
          await adapter.connect(signal);
          const beat = (): void => void clock.setTimer(1_000, beat);
          beat();
        },
      }),
    }),
  ),
  saboteur(
    {
      name: 'leaks-a-listener',
      laws: [15],
      does: 'listens for the end of the process, and goes on listening when it is closed',
      seen: 'a warning about MaxListeners, memory that grows with every connection',
      killedBy: ['LK1'],
    },
    () => ({
      adapter: (adapter) => ({
        connect: async (signal) => {
          await adapter.connect(signal);
          process.on('beforeExit', () => void adapter.health());
        },
      }),
    }),
  ),
  saboteur(
    {
      name: 'changes-a-code',
      laws: [17],
      does: 'calls a broker that is not there INTERNAL',
      seen: 'code that waits for UNAVAILABLE gives up, on one engine only',
      killedBy: ['RC12'],
    },
    () => ({
      adapter: (adapter) => ({
        classify: (error) => {
          const found = adapter.classify(error);
          return found.code === 'UNAVAILABLE' ? { code: 'INTERNAL', retryable: found.retryable } : found;
        },
      }),
    }),
  ),
  saboteur(
    {
      name: 'hides-what-went-wrong',
      laws: [17],
      does: 'rejects with an error of its own that it cannot classify',
      seen: 'INTERNAL for everything; a first outage is final',
      killedBy: ['RC12', 'ER8'],
    },
    () =>
      connecting(() => {
        throw new Error('something went wrong');
      }),
  ),
  saboteur(
    {
      name: 'tries-refused-credentials-again',
      laws: [17],
      does: 'calls refused credentials a passing failure',
      seen: 'an account that is locked, and a start that hangs on a wrong password',
      killedBy: ['ER8'],
    },
    () => ({
      adapter: (adapter) => ({
        classify: (error) => {
          const found = adapter.classify(error);
          return found.code === 'UNAUTHORISED' ? { ...found, retryable: true } : found;
        },
      }),
    }),
  ),
  saboteur(
    {
      name: 'tells-credentials',
      laws: [17],
      does: 'puts its credentials into the error of a failed connection',
      seen: 'passwords in the logs',
      killedBy: ['ER8'],
    },
    ({ secret = 'guest' }) =>
      connecting((error) => {
        error.message += ` (as anymq:${secret})`;
        throw error;
      }),
  ),
  saboteur(
    {
      name: 'cries-wolf',
      laws: [17],
      does: 'logs a warning when it connects',
      seen: 'warnings that everybody learns to ignore',
      killedBy: ['ER9'],
    },
    () => ({
      adapter: (adapter, { log }) => ({
        connect: async (signal) => {
          await adapter.connect(signal);
          log.warn('connected');
        },
      }),
    }),
  ),
];
