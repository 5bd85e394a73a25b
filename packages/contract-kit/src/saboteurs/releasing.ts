import { losing, noting, writingTo } from './parcels.js';
import { type Saboteur, saboteur } from './saboteur.js';

const isInbox = (topic: string): boolean => topic.startsWith('anymq.inbox.');
const isOnTheWay = (topic: string): boolean => isInbox(topic) || topic.startsWith('anymq.delay.');

/** What goes wrong with what comes again to one group, later. */
export const releasing: readonly Saboteur[] = [
  saboteur(
    {
      name: 'drops-the-key-of-copies',
      laws: [7, 9],
      does: 'does not write the key of what comes to one group again',
      seen: 'retries and redriven messages overtake others of their key, and a handler that needs it fails',
      killedBy: ['RT20', 'DL14', 'DL32'],
    },
    () => noting(({ key: _, ...note }) => note),
  ),
  saboteur(
    {
      name: 'resets-the-attempt-of-copies',
      laws: [7],
      does: 'does not write how often a message was tried before it was released',
      seen: 'a poisonous message is tried for ever',
      killedBy: ['RT17', 'RT7', 'DL21'],
    },
    () => noting(({ attempts: _, ...note }) => note),
  ),
  saboteur(
    {
      name: 'loses-what-is-released',
      laws: [7],
      does: 'says that the copy of a released message is stored, and does not write it',
      seen: 'a message that failed once is gone',
      killedBy: ['RT17', 'RT10'],
    },
    () =>
      writingTo(
        isOnTheWay,
        losing(() => true),
      ),
  ),
  saboteur(
    {
      name: 'retries-too-early',
      laws: [7],
      does: 'gives back what was released 300 ms before its back-off is over',
      seen: 'a dependency that asked for time is hammered',
      killedBy: ['RT18', 'DL21'],
    },
    () =>
      noting(({ delay, ...note }) => ({
        ...note,
        ...(delay && { delay: { ...delay, deliverAt: delay.deliverAt - 300 } }),
      })),
  ),
  saboteur(
    {
      name: 'gives-copies-to-all-groups',
      laws: [7, 9],
      does: 'has one place for the retries and redriven messages of all groups of a topic',
      seen: 'a service handles again what another one failed on',
      killedBy: ['RT21', 'DL7'],
    },
    () => ({
      topic: (topic) => (isInbox(topic.name) ? { ...topic, name: topic.name.split('.').slice(0, 3).join('.') } : topic),
    }),
  ),
  saboteur(
    {
      name: 'never-settles-copies',
      laws: [7, 9],
      does: 'does not tell the broker what was settled of retries and redriven messages',
      seen: 'every deployment repeats them, and their lag only grows',
      killedBy: ['RT17', 'DL35'],
    },
    () => ({ member: ({ spec }) => ({ receiver: isInbox(spec.topic.name) ? { settle: () => {} } : {} }) }),
  ),
  saboteur(
    {
      name: 'settles-what-is-held',
      laws: [7],
      does: 'settles a message when it is told that a call for it failed',
      seen: 'a message that fails once is lost when its consumer leaves',
      killedBy: ['RT23', 'RT14', 'AK10'],
    },
    () => ({ member: ({ receiver }) => ({ receiver: { hold: (record) => receiver().settle([record]) } }) }),
  ),
];
