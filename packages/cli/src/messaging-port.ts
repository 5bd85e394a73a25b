/** The part of core that the command needs. Nothing else in this package names core's types. */
import { createMessaging, type MessagingOptions, type Messaging as Whole } from '@anymq/core';

export type {
  BrowsedMessage,
  DeadLetter,
  DeadLetterSelection,
  DeadLetters,
  Receipt,
  RedriveReport,
  Topic,
} from '@anymq/core';

/** Core's messaging, as far as people on call need it. */
export type Messaging = Pick<
  Whole,
  'producer' | 'consumer' | 'browse' | 'deadLetters' | 'topics' | 'groups' | 'on' | 'close'
>;

/** Which configuration, and how much of it. */
export type OpenOptions = Pick<MessagingOptions, 'configFile' | 'default' | 'routes' | 'logger'>;

/** Opens the door to the brokers. */
export type OpenMessaging = (options: OpenOptions) => Promise<Messaging>;

/** Opens it as services do: by the configuration file and the environment. */
export const openMessaging: OpenMessaging = createMessaging;
