import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sameText, table, withPart } from './generated.mjs';
import { root } from './process.mjs';

export const ENGINES = ['memory', 'kafka', 'rabbitmq', 'rocketmq'];
/** Where the certificates are kept from which the tables in the documentation are made. */
export const KEPT = join(root, 'docs', 'certificates');

/** Certificates by engine, of those that `folder` has. */
export function readCertificates(folder) {
  const nameOf = (engine) => (folder === KEPT ? `${engine}.json` : `contract-${engine}.json`);
  const found = ENGINES.map((engine) => [engine, join(folder, nameOf(engine))]).filter(([, file]) => existsSync(file));
  return new Map(found.map(([engine, file]) => [engine, JSON.parse(readFileSync(file, 'utf8'))]));
}

/** A certificate as it is kept: without what differs from run to run and says nothing about the adapter. */
export const keptCopy = ({ cases, ...rest }) => ({ ...rest, cases: cases.map(({ durationMs, ...one }) => one) });

/* ---- what is wrong, as sentences ---------------------------------------------------------------------------------- */

/** Engines of which there is no certificate. */
export const missing = (certificates) =>
  ENGINES.filter((engine) => !certificates.has(engine)).map((engine) => `there is no certificate of ${engine}`);

/** Claims that no passed case holds, and cases that failed. */
export function unproven(certificates) {
  return [...certificates].flatMap(([engine, { capabilities, cases }]) => {
    const passed = new Set(cases.filter(({ status }) => status === 'passed').map(({ id }) => id));
    const claims = capabilities.filter(({ level }) => level !== 'unsupported');
    const bare = claims.filter(({ proofs }) => !proofs.some((id) => passed.has(id)));
    const failed = cases.filter(({ status }) => status === 'failed');
    return [
      ...bare.map(({ id, level }) => `${engine} claims '${id}' as ${level}, and no case has proven it`),
      ...failed.map(({ id, title }) => `${engine} fails ${id}: ${title}`),
    ];
  });
}

/** Certificates with other cases than the kit's, by id. */
export function otherCases(certificates, ids) {
  return [...certificates].flatMap(([engine, { cases }]) => {
    const ran = cases.map(({ id }) => id);
    const lacks = ids.filter((id) => !ran.includes(id));
    const strange = ran.filter((id) => !ids.includes(id));
    return [
      ...(lacks.length > 0 ? [`the certificate of ${engine} lacks ${lacks.join(', ')}, which the kit has`] : []),
      ...(strange.length > 0 ? [`the certificate of ${engine} has ${strange.join(', ')}, which the kit has not`] : []),
    ];
  });
}

/** Rows and limits of a certificate that the adapter declares otherwise today. */
export function otherClaims(engine, { capabilities, limits }, declared) {
  const rows = capabilities.filter(
    ({ id, level, note }) => declared.rows[id]?.level !== level || declared.rows[id]?.note !== note,
  );
  const numbers = Object.keys(declared.limits).filter((name) => declared.limits[name] !== limits[name]);
  return [...rows.map(({ id }) => id), ...numbers].map(
    (what) => `the certificate of ${engine} says something else about '${what}' than its adapter`,
  );
}

/** Documents whose table is not the one that `certificates` give. */
export function differing(certificates, read) {
  return [...tables(certificates)]
    .filter(([file, lines]) => !sameText(withTable(read(file), lines), read(file)))
    .map(([file]) => `${file}: the capability table is not what was proven`);
}

/* ---- the tables ---------------------------------------------------------------------------------------------------- */

/** Every table by the document that holds it. The overview is of all engines, or it is not. */
export function tables(certificates) {
  const documents = [...certificates].map(([engine, certificate]) => [
    `packages/adapter-${engine}/README.md`,
    detail(engine, certificate),
  ]);
  return new Map(
    missing(certificates).length === 0 ? [['README.md', overview(certificates)], ...documents] : documents,
  );
}

function overview(certificates) {
  const all = [...certificates];
  const [, first] = all[0];
  const rows = first.capabilities.map(({ id, proofs }) => {
    const levels = all.map(([, { capabilities }]) => capabilities.find((one) => one.id === id).level);
    return [`\`${id}\``, ...levels, `[${counted(proofs.length, 'case')}](docs/contract.md#capabilities)`];
  });
  const lines = all.map(([engine, certificate]) => `- ${engine}: ${resultOf(certificate)}, ${madeWith(certificate)}`);
  return [...table(['capability', ...all.map(([engine]) => engine), 'proven by'], rows), '', ...lines];
}

function detail(engine, certificate) {
  const status = new Map(certificate.cases.map(({ id, status }) => [id, status]));
  const rows = certificate.capabilities.map(({ id, level, note, proofs }) => {
    const passed = proofs.filter((proof) => status.get(proof) === 'passed');
    return [`\`${id}\``, level, note, level === 'unsupported' ? '' : passed.join(' ')];
  });
  const { maxBodyBytes, maxHeadersBytes, takeoverMs, maxHoldMs } = certificate.limits;
  return [
    ...table(['capability', 'level', 'how', 'proven by'], rows),
    '',
    `- Limits: bodies ${figure(maxBodyBytes)} bytes, headers ${figure(maxHeadersBytes)} bytes, take-over ${figure(takeoverMs)} ms, a message may stay unsettled for ${figure(maxHoldMs)} ms.`,
    `- [Certificate](../../docs/certificates/${engine}.json): ${resultOf(certificate)}, ${madeWith(certificate)}.`,
    ...skippedBy(certificate).map(([row, ids]) => `- Skipped, because \`${row}\` is unsupported: ${ids.join(' ')}.`),
    '- [What each case says](../../docs/contract.md).',
  ];
}

/** Ids of skipped cases by the unsupported row, whose reason stands in the table above. */
function skippedBy({ cases }) {
  const found = new Map();
  for (const { id, status, reason } of cases) {
    if (status !== 'skipped') continue;
    const [row] = reason.split(' is unsupported');
    found.set(row, [...(found.get(row) ?? []), id]);
  }
  return [...found];
}

function resultOf({ cases }) {
  const count = (status) => cases.filter((one) => one.status === status).length;
  const skipped = count('skipped') > 0 ? `, ${count('skipped')} skipped` : '';
  return `${count('passed')} of ${counted(cases.length, 'case')} passed${skipped}`;
}

const madeWith = ({ about: { adapter, client, broker }, date }) =>
  [adapter, client, broker, date.slice(0, 10)].filter((part) => part !== undefined).join(', ');
const figure = (value) => value.toLocaleString('en-US');
const counted = (count, what) => `${count} ${what}${count === 1 ? '' : 's'}`;

/** A document with its capability table replaced. */
export const withTable = (text, lines) => withPart(text, 'capabilities', 'certify', lines);
