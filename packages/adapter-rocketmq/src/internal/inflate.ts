import { unzipSync } from 'node:zlib';

/** A compressed body must not become more than this. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** What a plain client compressed, in the way that RocketMQ's clients do unless they are told otherwise. */
export const inflate = (body: Uint8Array): Buffer => unzipSync(body, { maxOutputLength: MAX_BODY_BYTES });
