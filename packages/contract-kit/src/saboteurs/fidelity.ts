import { decoded, incoming, outgoing } from './records.js';
import { type Saboteur, saboteur } from './saboteur.js';

type Headers = Readonly<Record<string, string>> | undefined;

const mapped = (headers: Headers, map: (entry: [string, string]) => [string, string][]): Headers =>
  headers && Object.fromEntries(Object.entries(headers).flatMap(map));

/** What is changed of a message on its way. */
export const fidelity: readonly Saboteur[] = [
  saboteur(
    {
      name: 'drops-empty-headers',
      laws: [2],
      does: 'leaves out headers with an empty value',
      seen: 'a header that was set is not there',
      killedBy: ['PF5'],
    },
    () => outgoing(({ headers }) => ({ headers: mapped(headers, (entry) => (entry[1] === '' ? [] : [entry])) })),
  ),
  saboteur(
    {
      name: 'lower-cases-header-names',
      laws: [2],
      does: 'writes names of headers in lower case',
      seen: 'a header is not found, or another one was overwritten',
      killedBy: ['PF5'],
    },
    () => outgoing(({ headers }) => ({ headers: mapped(headers, ([name, value]) => [[name.toLowerCase(), value]]) })),
  ),
  saboteur(
    {
      name: 'normalises-unicode',
      laws: [2],
      does: 'puts header values into Unicode normal form C',
      seen: 'a signature over the headers does not verify',
      killedBy: ['PF5'],
    },
    () =>
      outgoing(({ headers }) => ({ headers: mapped(headers, ([name, value]) => [[name, value.normalize('NFC')]]) })),
  ),
  saboteur(
    {
      name: 'trims-keys',
      laws: [2, 6],
      does: 'removes white space around keys',
      seen: 'keys that differ become one, and a handler sees another key than was sent',
      killedBy: ['PF11'],
    },
    () => decoded(({ key }) => (key === undefined ? undefined : { key: key.trim() })),
  ),
  saboteur(
    {
      name: 'rounds-the-time',
      laws: [2],
      does: 'keeps the time in whole seconds',
      seen: 'latencies that are negative, events that seem to happen at once',
      killedBy: ['PB1', 'PF20'],
    },
    () => outgoing(({ time }) => ({ time: Math.floor(time / 1_000) * 1_000 })),
  ),
  saboteur(
    {
      name: 'loses-the-type',
      laws: [2],
      does: 'does not write the type of a message',
      seen: 'a handler that looks at the type takes the wrong branch',
      killedBy: ['PB8'],
    },
    () => decoded(() => ({ type: undefined })),
  ),
  saboteur(
    {
      name: 'cuts-large-bodies',
      laws: [2],
      does: 'loses the last byte of bodies above 16 KiB',
      seen: 'large documents cannot be parsed',
      killedBy: ['PF3', 'LM1'],
    },
    () => outgoing(({ body }) => (body.length > 16_384 ? { body: body.subarray(0, -1) } : undefined)),
  ),
  saboteur(
    {
      name: 'takes-too-large-bodies',
      laws: [2],
      does: 'takes bodies above its limit, and truncates them',
      seen: 'no TOO_LARGE: half of a document arrives',
      killedBy: ['LM1'],
    },
    ({ limits: { maxBodyBytes } }) => ({
      capabilities: ({ rows, limits }) =>
        Object.freeze({ rows, limits: Object.freeze({ ...limits, maxBodyBytes: 2 * maxBodyBytes }) }),
      ...outgoing(({ body }) => ({ body: body.subarray(0, maxBodyBytes) })),
    }),
  ),
  saboteur(
    {
      name: 'tells-one-position',
      laws: [1],
      does: 'gives every delivery the same position',
      seen: 'two messages cannot be told apart on the broker',
      killedBy: ['PB7'],
    },
    () => decoded(() => ({ position: '0' })),
  ),
  saboteur(
    {
      name: 'forgets-what-came-before',
      laws: [2, 7],
      does: 'loses headers of what it delivers again',
      seen: 'trace and tenant of a message are gone after its consumer crashed',
      killedBy: ['SB2'],
    },
    () => incoming(({ redelivered }) => (redelivered ? { headers: undefined } : undefined)),
  ),
  saboteur(
    {
      name: 'renames-what-comes-again',
      laws: [3],
      does: 'gives what it delivers again another id',
      seen: 'de-duplication by id lets duplicates through',
      killedBy: ['SB2'],
    },
    () => incoming(({ redelivered, id }) => (redelivered ? { id: `${id}-again` } : undefined)),
  ),
];
