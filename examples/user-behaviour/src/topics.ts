import { defineTopic } from '@anymq/core';
import { behaviourEvent } from './event.js';

/** Events of one session are handled in the order they happened. */
export const userBehaviour = defineTopic('user.behaviour', {
  schema: behaviourEvent,
  key: (event) => event.user_session,
});
