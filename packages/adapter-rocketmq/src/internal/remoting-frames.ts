/** Frames of RocketMQ's remoting protocol with JSON headers: total length, header length, header, body. */

/** What the broker answered. */
export interface RemotingAnswer {
  readonly opaque: number;
  /** 0 is success. */
  readonly code: number;
  readonly remark: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const LENGTH_BYTES = 4;
const HEADER_LENGTH_MASK = 0xff_ffff;
const PROTOCOL_VERSION = 475;

/** One request. `fields` must be text already; their order is kept. */
export function encodeRequest(
  code: number,
  opaque: number,
  fields: Readonly<Record<string, string>>,
  body: Buffer,
): Buffer {
  const header = Buffer.from(
    JSON.stringify({
      code,
      language: 'OTHER',
      version: PROTOCOL_VERSION,
      opaque,
      flag: 0,
      extFields: fields,
      serializeTypeCurrentRPC: 'JSON',
    }),
  );
  const lengths = Buffer.alloc(2 * LENGTH_BYTES);
  lengths.writeUInt32BE(LENGTH_BYTES + header.length + body.length, 0);
  lengths.writeUInt32BE(header.length, LENGTH_BYTES);
  return Buffer.concat([lengths, header, body]);
}

/** Takes whole answers out of what has arrived; `rest` waits for more. */
export function decodeAnswers(received: Buffer): { readonly answers: RemotingAnswer[]; readonly rest: Buffer } {
  const answers: RemotingAnswer[] = [];
  let rest = received;
  while (rest.length >= LENGTH_BYTES) {
    const length = rest.readUInt32BE(0);
    if (rest.length < LENGTH_BYTES + length) break;
    answers.push(decodeAnswer(rest.subarray(LENGTH_BYTES, LENGTH_BYTES + length)));
    rest = rest.subarray(LENGTH_BYTES + length);
  }
  return { answers, rest };
}

function decodeAnswer(frame: Buffer): RemotingAnswer {
  const headerEnd = LENGTH_BYTES + (frame.readUInt32BE(0) & HEADER_LENGTH_MASK);
  const header = JSON.parse(frame.subarray(LENGTH_BYTES, headerEnd).toString()) as {
    opaque: number;
    code: number;
    remark?: string | null;
    extFields?: Record<string, string> | null;
  };
  const { opaque, code, remark, extFields } = header;
  return { opaque, code, remark: remark ?? '', fields: extFields ?? {}, body: Buffer.from(frame.subarray(headerEnd)) };
}

/** JSON as fastjson writes it: numbers as keys of maps stand without quotes. */
export function parseLoose(body: Buffer): unknown {
  const text = body.toString();
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(text.replace(/([{,])\s*(-?\d+)\s*:/g, '$1"$2":'));
  }
}

/** The entries of a map whose keys are objects: `{"offsetTable":{{...}:{...},{...}:{...}}}`. Neither may hold braces inside. */
export function parseObjectKeys(body: Buffer): readonly (readonly [key: unknown, value: unknown])[] {
  const entries = body.toString().matchAll(/(\{[^{}]*\}):(\{[^{}]*\}|-?\d+)/g);
  return [...entries].map(([, key = '', value = '']) => [JSON.parse(key), JSON.parse(value)] as const);
}
