import type { IncomingRecord, OutgoingRecord, ReadRecord, WriteResult } from '@anymq/core/adapter';
import type { Tamper } from '../tamper.js';

/** Records are written with changes; what has none goes as it is. */
export function outgoing(change: (record: OutgoingRecord) => Partial<OutgoingRecord> | undefined): Tamper {
  return {
    sender: (sender) => ({
      write: (lane, records) =>
        sender.write(
          lane,
          records.map((record) => ({ ...record, ...change(record) })),
        ),
    }),
  };
}

/** Records are delivered with changes; what has none goes as it is. */
export function incoming(change: (record: IncomingRecord) => Partial<IncomingRecord> | undefined): Tamper {
  return {
    member: ({ sink, masks }) => ({
      sink: {
        deliver: (records) =>
          sink.deliver(
            records.map((record) => {
              const changes = change(record);
              return changes === undefined ? record : masks.change(record, changes);
            }),
          ),
      },
    }),
  };
}

/** The same, and records that are read without consuming too: an adapter decodes both in one place. */
export function decoded(change: (record: ReadRecord) => Partial<ReadRecord> | undefined): Tamper {
  return {
    ...incoming(change),
    reader: ({ sink }) => ({
      sink: { read: (records) => sink.read(records.map((record) => ({ ...copyOf(record), ...change(record) }))) },
    }),
  };
}

/** Adapters may give views, whose fields a spread would not see. */
const copyOf = ({ position, id, key, body, headers, time, type, contentType }: ReadRecord): ReadRecord => ({
  position,
  id,
  key,
  body,
  headers,
  time,
  type,
  contentType,
});

/** Results of writes are changed. */
export function answering(change: (result: WriteResult) => WriteResult): Tamper {
  return {
    sender: (sender) => ({
      write: async (lane, records) => (await sender.write(lane, records)).map(change),
    }),
  };
}

/** True once in `count` calls: at the last of them. */
export function oneIn(count: number): () => boolean {
  let calls = 0;
  return () => ++calls % count === 0;
}
