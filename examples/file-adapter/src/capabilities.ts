import type { Capabilities, Capability } from '@anymq/core/adapter';

const native = (note: string): Capability => Object.freeze({ level: 'native', note });
const emulated = (note: string): Capability => Object.freeze({ level: 'emulated', note });
const unsupported = (note: string): Capability => Object.freeze({ level: 'unsupported', note });

// #region rows
/** Every row, with how or why not. What is `unsupported` here is refused before anything connects, and skips its cases. */
export const capabilities: Capabilities = Object.freeze({
  rows: Object.freeze({
    'durable-send': native(
      'A confirmed message is on the disk, synced; a torn last line is cut off when the file is opened.',
    ),
    fidelity: native('Every field of a record is a field of its line; the body is base64.'),
    'at-least-once': native('What is not in the group’s file as settled is delivered again.'),
    groups: native('Each group has a file of its own; its members share 32 lanes, within one process.'),
    broadcast: unsupported('A group keeps its file when its members have gone: nothing takes it away.'),
    'start-earliest': native('Nothing is ever removed from a topic.'),
    'start-latest': native('The number of messages at the moment of the first join.'),
    'key-order': native('A key belongs to one lane, and while a member has messages of a lane no other gets any.'),
    'independent-keys': native('A key that waits holds back nothing else of its lane.'),
    redelivery: native('Held in place by core while the lane’s owner keeps it.'),
    'attempts-survive': native('Written to the group’s file as soon as they are noted.'),
    release: emulated(
      'A copy goes to the group’s inbox with its attempt count, and later messages of the key pass; another member may handle the copy beside another message of its key.',
    ),
    'dead-letters': emulated('A topic of their own for each group, from which nothing is ever removed.'),
    'broker-limits': unsupported('A folder gives nothing up by itself.'),
    delay: emulated('Held in a topic of one lane by a process that waits until they are due.'),
    batch: native('A write of up to 1,000 messages is one append and one sync.'),
    'topic-settings': native('The first line of a topic’s file says whether it has keys, and one lane.'),
    'no-history': unsupported('Nothing is ever removed from a topic.'),
    unroutable: unsupported('Every topic keeps its messages for groups to come.'),
    backpressure: native('Nothing is handed over beyond the credit; what waits is the topic itself.'),
    lag: native('Exact: what was stored and is not settled.'),
    'given-topology': unsupported('A folder is made by whoever comes first: there is no right that would forbid it.'),
    'native-interop': unsupported('Lines that another program appends are not noticed while a process has the folder.'),
    authentication: unsupported('Files have an owner, not credentials.'),
    recovery: unsupported('Nothing stands between a process and its files that could break and come back.'),
    network: unsupported('There is no network between a process and its files.'),
  }),
  limits: Object.freeze({
    maxBodyBytes: 4 * 1024 * 1024,
    maxHeadersBytes: 16 * 1024,
    takeoverMs: 1_000,
    maxHoldMs: 86_400_000,
    maxDelayMs: 604_800_000,
    delayToleranceMs: 1_000,
  }),
});
// #endregion
