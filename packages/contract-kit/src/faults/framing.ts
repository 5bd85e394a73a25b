/** How requests can be told apart on the wire of a client. `none`: every chunk is one. */
export type Framing = 'kafka' | 'amqp' | 'http2' | 'none';

/** One complete request of a client. */
export interface WireRequest {
  /** Of the whole request, all its frames. */
  readonly bytes: number;
  /** Kafka: the API key. */
  readonly api?: number;
  /** AMQP: class and method, as `60.40` for a publish. */
  readonly method?: string;
}

/** A request that ended within a chunk. */
export interface Ended {
  readonly request: WireRequest;
  /** Offset in the chunk just behind it. */
  readonly end: number;
}

/** Reads the bytes of one connection, in order, without keeping them. */
export interface Scanner {
  push(chunk: Buffer): readonly Ended[];
}

/** A scanner for a connection from its first byte on. */
export function scannerOf(framing: Framing): Scanner {
  if (framing === 'none') return { push: (chunk) => [{ request: { bytes: chunk.length }, end: chunk.length }] };
  if (framing === 'kafka') return new FrameScanner(0, kafkaLength, kafkaRequests());
  if (framing === 'amqp') return new FrameScanner(8, amqpLength, amqpRequests());
  return new FrameScanner(24, http2Length, http2Requests());
}

/** What is kept of a frame: enough for every protocol's decisions. */
const HEAD = 20;

/** Told of every complete frame: its first bytes and its length. Gives the request that it completes, if any. */
type OnFrame = (head: Buffer, length: number) => WireRequest | undefined;

class FrameScanner implements Scanner {
  readonly #lengthOf: (head: Buffer, known: number) => number | undefined;
  readonly #onFrame: OnFrame;
  readonly #head = Buffer.alloc(HEAD);
  /** Bytes before the first frame. */
  #preface: number;
  #seen = 0;
  #length: number | undefined;

  constructor(preface: number, lengthOf: (head: Buffer, known: number) => number | undefined, onFrame: OnFrame) {
    this.#preface = preface;
    this.#lengthOf = lengthOf;
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): readonly Ended[] {
    const ended: Ended[] = [];
    let at = Math.min(this.#preface, chunk.length);
    this.#preface -= at;
    while (at < chunk.length) {
      at = this.#read(chunk, at);
      if (this.#length === undefined || this.#seen < this.#length) continue;
      const request = this.#onFrame(this.#head, this.#length);
      if (request !== undefined) ended.push({ request, end: at });
      this.#seen = 0;
      this.#length = undefined;
    }
    return ended;
  }

  /** Reads on in the current frame. Returns where it stopped: at the frame's end, or where its length became known. */
  #read(chunk: Buffer, at: number): number {
    const until = this.#length ?? HEAD;
    const take = Math.min(chunk.length - at, this.#length === undefined ? 1 : until - this.#seen);
    if (this.#seen < HEAD) chunk.copy(this.#head, this.#seen, at, at + Math.min(take, HEAD - this.#seen));
    this.#seen += take;
    // A byte at a time until the length is known: it must not be read past.
    this.#length ??= this.#lengthOf(this.#head, this.#seen);
    return at + take;
  }
}

const kafkaLength = (head: Buffer, known: number): number | undefined =>
  known < 4 ? undefined : 4 + head.readUInt32BE(0);
const amqpLength = (head: Buffer, known: number): number | undefined =>
  known < 7 ? undefined : 8 + head.readUInt32BE(3);
const http2Length = (head: Buffer, known: number): number | undefined =>
  known < 9 ? undefined : 9 + head.readUIntBE(0, 3);

function kafkaRequests(): OnFrame {
  return (head, bytes) => ({ bytes, api: head.readInt16BE(4) });
}

const METHOD = 1;
const HEADER = 2;
const BODY = 3;
const PUBLISH = '60.40';

/** A publish is its method, its header and its bodies; channels interleave. */
function amqpRequests(): OnFrame {
  const open = new Map<number, { bytes: number; left: number }>();
  return (head, length) => {
    const [type, channel] = [head.readUInt8(0), head.readUInt16BE(1)];
    if (type === METHOD) {
      const method = `${head.readUInt16BE(7)}.${head.readUInt16BE(9)}`;
      if (method !== PUBLISH) return { bytes: length, method };
      open.set(channel, { bytes: length, left: Number.POSITIVE_INFINITY });
      return undefined;
    }
    const publish = open.get(channel);
    if (publish === undefined || (type !== HEADER && type !== BODY)) return undefined;
    publish.bytes += length;
    publish.left = type === HEADER ? Number(head.readBigUInt64BE(11)) : publish.left - (length - 8);
    if (publish.left > 0) return undefined;
    open.delete(channel);
    return { bytes: publish.bytes, method: PUBLISH };
  };
}

const DATA = 0;
const HEADERS = 1;
const END_STREAM = 1;

/** A request is a stream up to the client's last frame. What it asks for is compressed in its headers, and not read. */
function http2Requests(): OnFrame {
  const streams = new Map<number, number>();
  return (head, length) => {
    const [type, flags, stream] = [head.readUInt8(3), head.readUInt8(4), head.readUInt32BE(5)];
    if (type !== DATA && type !== HEADERS) return undefined;
    const bytes = (streams.get(stream) ?? 0) + length;
    streams.set(stream, bytes);
    if ((flags & END_STREAM) === 0) return undefined;
    streams.delete(stream);
    return { bytes };
  };
}
