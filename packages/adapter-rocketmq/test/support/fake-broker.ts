import { createServer, type Server, type Socket } from 'node:net';
import { encodeStored, type Stored } from './stored.js';

const CODE = { pull: 11, maxOffset: 30, minOffset: 31 } as const;
const NOT_FOUND = 19;
const OFFSET_MOVED = 21;
const WAITING = 2;

interface Request {
  readonly code: number;
  readonly opaque: number;
  readonly extFields: Readonly<Record<string, string>>;
}

/** An answer as brokers frame it. */
export function frame(header: object, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.from(JSON.stringify(header));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(4 + head.length + body.length, 0);
  lengths.writeUInt32BE(head.length, 4);
  return Buffer.concat([lengths, head, body]);
}

/** A broker that keeps messages in queues and lets them be read by offset. */
export class FakeBroker {
  /** First offset that is kept, and messages from there on, of each queue. */
  readonly queues: { first: number; messages: Stored[] }[];
  readonly sockets = new Set<Socket>();
  /** Answers all pulls so, when it is set. */
  refusal: number | undefined;
  pulls = 0;
  address = '';
  readonly #server: Server;
  #held: { readonly socket: Socket; readonly request: Request }[] = [];

  private constructor(queues: number, makeServer: typeof createServer) {
    this.queues = Array.from({ length: queues }, () => ({ first: 0, messages: [] }));
    this.#server = makeServer((socket) => this.#serve(socket));
  }

  /** @param makeServer of another kind, for TLS */
  static async start(queues: number, makeServer: typeof createServer = createServer): Promise<FakeBroker> {
    const broker = new FakeBroker(queues, makeServer);
    await new Promise<void>((resolve) => broker.#server.listen(0, '127.0.0.1', resolve));
    broker.address = `127.0.0.1:${(broker.#server.address() as { port: number }).port}`;
    return broker;
  }

  append(queue: number, ...texts: string[]): void {
    const { first, messages } = this.#queue(queue);
    for (const text of texts) {
      const offset = first + messages.length;
      messages.push({ offset, body: Buffer.from(text), properties: { UNIQ_KEY: text } });
    }
    for (const { socket, request } of this.#held.splice(0)) this.#pull(socket, request);
  }

  /** All connections end without a word. */
  drop(): void {
    this.#held = [];
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.drop();
    this.#server.close();
  }

  #queue(queue: number): { first: number; messages: Stored[] } {
    return this.queues[queue] as { first: number; messages: Stored[] };
  }

  #serve(socket: Socket): void {
    this.sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    socket.on('error', () => {}).on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) {
        const end = 4 + received.readUInt32BE(0);
        this.#answer(socket, JSON.parse(received.subarray(8, end).toString()) as Request);
        received = received.subarray(end);
      }
    });
  }

  #answer(socket: Socket, request: Request): void {
    const { first, messages } = this.#queue(Number(request.extFields.queueId));
    const end = first + messages.length;
    const reply = (offset: number) =>
      socket.write(frame({ opaque: request.opaque, code: 0, extFields: { offset: String(offset) } }));
    if (request.code === CODE.minOffset) reply(first);
    if (request.code === CODE.maxOffset) reply(end);
    if (request.code === CODE.pull) this.#pull(socket, request);
  }

  #pull(socket: Socket, request: Request): void {
    this.pulls += 1;
    const { queueId, queueOffset, maxMsgNums, sysFlag } = request.extFields;
    const { first, messages } = this.#queue(Number(queueId));
    const [offset, end] = [Number(queueOffset), first + messages.length];
    const found = messages.filter((each) => each.offset >= offset).slice(0, Number(maxMsgNums));
    const moved = offset < first || offset > end;
    if (this.refusal === undefined && !moved && found.length === 0 && (Number(sysFlag) & WAITING) !== 0) {
      this.#held.push({ socket, request });
      return;
    }
    const code = this.refusal ?? (moved ? OFFSET_MOVED : found.length === 0 ? NOT_FOUND : 0);
    const next = offset + (code === 0 ? found.length : 0);
    const extFields = { nextBeginOffset: `${next}`, minOffset: `${first}`, maxOffset: `${end}` };
    const body = code === 0 ? Buffer.concat(found.map(encodeStored)) : undefined;
    socket.write(frame({ opaque: request.opaque, code, extFields }, body));
  }
}
