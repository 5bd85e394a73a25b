import type {
  Adapter,
  AdapterRuntime,
  ConfiguredAdapter,
  ReaderSink,
  ReadRecord,
  TopicSpec,
} from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import { decoded } from '../src/saboteurs/records.js';
import { type Tamper, tampered } from '../src/tamper.js';

const topic: TopicSpec = {
  name: 'Orders',
  keyed: true,
  history: 'full',
  envelope: 'lean',
  type: 'orders',
  contentType: 'text/plain',
};

/** A view, as adapters may give. */
class View implements ReadRecord {
  readonly position = '1';
  readonly id = 'a';
  readonly body = new Uint8Array([1]);
  readonly headers = undefined;
  readonly time = 5;
  readonly type = undefined;
  readonly contentType = undefined;
  get key(): string {
    return 'k';
  }
}

/** Notes what it is asked; a reader reads one record at once. */
class Asked {
  readonly asked: unknown[] = [];

  async openReader(spec: TopicSpec, from: string, sink: ReaderSink) {
    this.asked.push(['openReader', spec.name, from]);
    await sink.read([new View()]);
    return { close: async () => void this.asked.push(['close']) };
  }

  async exists(spec: TopicSpec): Promise<boolean> {
    this.asked.push(['exists', spec.name]);
    return true;
  }

  async topics() {
    return this.asked.length === 0 ? [] : [topic.name];
  }

  async groups(name: string) {
    return [{ group: `g of ${name}`, lag: this.asked.length }];
  }
}

function tamperedWith(tamper: Tamper) {
  const own = new Asked();
  const configured = {
    name: 'asked',
    capabilities: {} as ConfiguredAdapter['capabilities'],
    create: () => own as unknown as Adapter,
  };
  const adapter = tampered(configured, () => tamper).create({} as AdapterRuntime);
  const read: ReadRecord[] = [];
  const sink: ReaderSink = {
    read: async (records) => void read.push(...records),
    failed: (error) => {
      throw error;
    },
  };
  return { own, adapter, read, sink };
}

describe('a tampered adapter', () => {
  test('without changes reads and answers as its own', async () => {
    const { own, adapter, read, sink } = tamperedWith({});
    const reader = await adapter.openReader(topic, 'latest', sink);
    await reader.close();
    expect(await adapter.exists(topic)).toBe(true);
    expect(own.asked).toEqual([['openReader', 'Orders', 'latest'], ['close'], ['exists', 'Orders']]);
    expect(read).toEqual([new View()]);
    expect([await adapter.topics(), await adapter.groups('x')]).toEqual([['Orders'], [{ group: 'g of x', lag: 3 }]]);
  });

  test('changes what a reader reads, how it closes, and which topic it is', async () => {
    const sides: unknown[] = [];
    const { own, adapter, read, sink } = tamperedWith({
      topic: (spec) => ({ ...spec, name: spec.name.toLowerCase() }),
      reader: (side) => {
        sides.push([side.topic.name, side.from]);
        return {
          sink: { read: (records) => side.sink.read(records.map((record) => ({ ...record, id: 'b' }))) },
          reader: { close: async () => {} },
        };
      },
    });
    const reader = await adapter.openReader(topic, 'earliest', sink);
    await reader.close();
    await adapter.exists(topic);
    expect(own.asked).toEqual([
      ['openReader', 'orders', 'earliest'],
      ['exists', 'orders'],
    ]);
    expect([sides, read.map(({ id }) => id)]).toEqual([[['orders', 'earliest']], ['b']]);
  });
});

test('a saboteur that changes what it decodes changes what is read too, and nothing else of it', async () => {
  const { adapter, read, sink } = tamperedWith(decoded(() => ({ position: '0' })));
  await adapter.openReader(topic, 'earliest', sink);
  expect(read).toEqual([{ ...new View(), key: 'k', position: '0' }]);
});
