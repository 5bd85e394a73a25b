import { readFile } from 'node:fs/promises';
import { messageOf } from '@anymq/core/adapter';
import type { TlsMaterial } from '../client.js';
import { fault } from '../errors.js';
import type { ParsedOptions } from '../options.js';

const PEM = /-----BEGIN /;

/** Texts for the client; files are read now. */
export async function tlsMaterial(tls: ParsedOptions['tls']): Promise<false | TlsMaterial> {
  if (typeof tls === 'boolean') return tls ? {} : false;
  const [ca, cert, key] = await Promise.all([text('ca', tls.ca), text('cert', tls.cert), text('key', tls.key)]);
  return { ca, cert, key, servername: tls.servername };
}

async function text(option: string, pathOrPem: string | undefined): Promise<string | undefined> {
  if (pathOrPem === undefined || PEM.test(pathOrPem)) return pathOrPem;
  try {
    return await readFile(pathOrPem, 'utf8');
  } catch (error) {
    const message = `Option 'tls.${option}' of the RocketMQ adapter names a file that cannot be read: ${messageOf(error)}.`;
    throw fault('INVALID_CONFIG', message, error);
  }
}
