import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './process.js';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certification authority for tests, in a folder of its own. Needs the program `openssl`. */
export class Authority {
  readonly #folder: string;
  /** Path of its certificate. */
  readonly ca: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.ca = join(folder, 'ca.pem');
  }

  static async make(folder: string): Promise<Authority> {
    mkdirSync(folder, { recursive: true });
    const authority = new Authority(folder);
    const [subject, files] = [
      ['-subj', '/CN=anymq-test-ca'],
      ['-keyout', authority.#path('ca.key'), '-out', authority.ca],
    ];
    await runCommand('openssl', ['req', '-x509', ...KEY, '-days', '30', ...subject, ...files]);
    return authority;
  }

  /**
   * Signs one. @param name its common name @param hosts that it is good for, as openssl has them: `DNS:localhost,IP:127.0.0.1`
   * @param days that it is valid, negative for one that has expired
   */
  async sign(name: string, hosts: string, days = 30): Promise<Certificate> {
    const of = (end: string): string => this.#path(`${name}.${end}`);
    const [cert, key, request, extensions] = [of('pem'), of('key'), of('csr'), of('ext')];
    writeFileSync(extensions, `subjectAltName=${hosts}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    await runCommand('openssl', ['req', '-new', ...KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', request]);
    const by = ['-CA', this.ca, '-CAkey', this.#path('ca.key'), '-CAcreateserial'];
    const asked = ['-req', '-in', request, '-extfile', extensions, '-days', String(days), '-out', cert];
    await runCommand('openssl', ['x509', ...asked, ...by]);
    return { cert, key };
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}
