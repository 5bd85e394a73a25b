import { HANDOVER_MS, sleep } from '@anymq/core/adapter';
import { type Saboteur, saboteur } from './saboteur.js';

/** What goes wrong with who gets what, from where, and until when. */
export const groups: readonly Saboteur[] = [
  saboteur(
    {
      name: 'leaks-to-another-group',
      laws: [4],
      does: 'maps groups whose names are equally long to one',
      seen: 'each of two services gets a part of the messages',
      killedBy: ['CG1'],
    },
    () => ({ spec: (spec) => ({ ...spec, group: `of-${spec.group.length}` }) }),
  ),
  saboteur(
    {
      name: 'ignores-case-of-topics',
      laws: [1],
      does: 'maps topics whose names differ in case to one',
      seen: 'messages of another topic',
      killedBy: ['AD9'],
    },
    () => ({ topic: (topic) => ({ ...topic, name: topic.name.toLowerCase() }) }),
  ),
  saboteur(
    {
      name: 'begins-at-the-latest',
      laws: [5],
      does: 'lets a new group begin at the latest message, whatever it asks',
      seen: 'what was sent before the first deployment of a service never reaches it',
      killedBy: ['PB6', 'PB5', 'RC19'],
    },
    () => ({ spec: (spec) => ({ ...spec, startFrom: 'latest' }) }),
  ),
  saboteur(
    {
      name: 'begins-at-the-earliest',
      laws: [5],
      does: 'lets a new group begin at the earliest message, whatever it asks',
      seen: 'a new service works through years of history',
      killedBy: ['PB6', 'SP1'],
    },
    () => ({ spec: (spec) => ({ ...spec, startFrom: 'earliest' }) }),
  ),
  saboteur(
    {
      name: 'hands-over-before-the-handlers-end',
      laws: [6],
      does: 'gives a share to a member that joins while handlers of the old owner run',
      seen: 'two handlers of one key at once, and messages twice, at every scaling',
      killedBy: ['SB3'],
    },
    () => ({
      member: () => ({
        source: (source) => ({
          drain: async () => {
            void source.drain();
          },
        }),
      }),
    }),
  ),
  saboteur(
    {
      name: 'never-says-lost',
      laws: [16],
      does: 'does not say that its messages are another member’s now',
      seen: 'a handler goes on with work that somebody else does',
      killedBy: ['CG9', 'OR12'],
    },
    () => ({ member: () => ({ source: () => ({ lost: () => {} }) }) }),
  ),
  saboteur(
    {
      name: 'says-lost-too-late',
      laws: [6],
      does: 'tells handlers that their messages are another member’s when that one has them already',
      seen: 'two handlers of one key at once, whenever a connection breaks',
      killedBy: ['OR12'],
    },
    () => ({
      member: ({ runtime: { clock } }) => ({
        source: (source) => ({ lost: (error) => void clock.setTimer(HANDOVER_MS, () => source.lost(error)) }),
      }),
    }),
  ),
  saboteur(
    {
      name: 'keeps-consuming-after-close',
      laws: [15],
      does: 'says that it left its group, and stays a member until the connection ends',
      seen: 'messages lie unhandled after a consumer was closed',
      killedBy: ['SD3', 'AK17'],
    },
    () => ({ member: () => ({ receiver: { close: async () => {} } }) }),
  ),
  saboteur(
    {
      name: 'joins-after-it-said-so',
      laws: [5],
      does: 'says that it joined half a second before its start position is fixed',
      seen: 'what is sent right after start is missed now and then',
      killedBy: ['SP1'],
    },
    () => ({
      adapter: (adapter, { clock }) => ({
        openReceiver: async (spec, sink) => {
          const opening = sleep(clock, 500).then(() => adapter.openReceiver(spec, sink));
          return {
            credit: (records, bytes) => void opening.then((receiver) => receiver.credit(records, bytes)),
            settle: (records) => void opening.then((receiver) => receiver.settle(records)),
            hold: (record, attempts) => void opening.then((receiver) => receiver.hold(record, attempts)),
            lag: async () => (await opening).lag(),
            close: async () => (await opening).close(),
          };
        },
      }),
    }),
  ),
  saboteur(
    {
      name: 'takes-any-charter',
      laws: [4],
      does: 'lets members join that disagree with their group',
      seen: 'half of the members filter or begin otherwise, and nobody is told',
      killedBy: ['CG11'],
    },
    () => ({ spec: (spec) => ({ ...spec, charter: 'any' }) }),
  ),
  saboteur(
    {
      name: 'takes-any-topic-settings',
      laws: [17],
      does: 'opens a topic that stands with other settings as a second one',
      seen: 'producer and consumer never meet, and nobody is told',
      killedBy: ['AD3'],
    },
    () => ({ topic: (topic) => (topic.keyed ? topic : { ...topic, name: `${topic.name}.plain` }) }),
  ),
  saboteur(
    {
      name: 'ignores-history-none',
      laws: [1],
      does: 'keeps messages of a topic that asked for no history',
      seen: 'a disk that fills up; no UNROUTABLE where nobody listens',
      killedBy: ['PB14'],
    },
    () => ({ topic: (topic) => ({ ...topic, history: 'full' }) }),
  ),
];
