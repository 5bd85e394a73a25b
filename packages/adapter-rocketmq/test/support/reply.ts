/** One message of an answer to a poll, as the library gives it. */
export const reply = (offset: number, handle = `h${offset}`, messageGroup = '') => ({
  getMessage: () => ({
    getSystemProperties: () => ({
      getMessageId: () => `m${offset}`,
      getReceiptHandle: () => handle,
      getBodyEncoding: () => 1,
      getMessageGroup: () => messageGroup,
      getBornTimestamp: () => undefined,
      getDeliveryAttempt: () => 1,
      getQueueId: () => 0,
      getQueueOffset: () => offset,
    }),
    getBody_asU8: () => Buffer.from('1'),
    getUserPropertiesMap: () => new Map<string, string>(),
  }),
});
