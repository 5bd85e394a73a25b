// A process of its own that uses an adapter and then has nothing more to do: what keeps it from ending, or what it says on stderr, is
// the adapter's. Its settings are the JSON of its first argument, its report is one line of JSON.
import type { AdapterPackage, ConfiguredAdapter } from '@anymq/core/adapter';
import type { ChaosConnection } from '../chaos/target.js';
import { leftOver, ownCounts } from './count.js';
import { Cycles, failedConnects } from './cycles.js';

/** What a worker is told. */
export interface LeakSettings {
  readonly module: string;
  /** For cycles. */
  readonly connection: ChaosConnection;
  /** For connecting in vain. */
  readonly unreachable: ChaosConnection;
  readonly namespace: string;
  readonly topic: string;
  readonly cycles: number;
  readonly failures: number;
}

/** What it tells. */
export interface LeakReport {
  /** What there is more of than before; empty in the best case. */
  readonly left: readonly string[];
}

const LANES = 8;

interface Exports {
  configure?(connection: ChaosConnection): ConfiguredAdapter;
  readonly adapter?: AdapterPackage;
}

const settings: LeakSettings = JSON.parse(process.argv[2] ?? '');
const { configure, adapter }: Exports = await import(settings.module);
await work();

async function work(): Promise<void> {
  const { connection, unreachable, namespace, topic, cycles, failures } = settings;
  const all = new Cycles({ configure: () => configured(connection), namespace, topic });
  if (cycles > 0) await all.warmUp(cycles, LANES);
  // Whatever is loaded once, when it is first needed, is loaded now.
  if (failures > 0) await failedConnects(() => configured(unreachable), 8);
  const before = ownCounts();
  if (cycles > 0) await all.run(cycles);
  if (failures > 0) await failedConnects(() => configured(unreachable), failures);
  const report: LeakReport = { left: await leftOver(before, ownCounts) };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

function configured(connection: ChaosConnection): ConfiguredAdapter {
  if (configure !== undefined) return configure(connection);
  if (adapter === undefined) throw new Error(`${settings.module} exports neither 'configure' nor 'adapter'.`);
  return adapter.configure(adapter.optionsSchema.parse(connection));
}
