// The arrows between packages: your service -> core <- adapters, and only client.ts touches a broker's client library.
// It reads the compiled JavaScript, because the compiler has no API for other tools; imports of types alone, which leave
// nothing behind there, are checked by scripts/check-shape.mjs.
const ADAPTERS = '^packages/adapter-(kafka|rabbitmq|rocketmq|memory)/dist/src/';
const CLIENTS = '(^|/)node_modules/(kafkajs|amqplib|rocketmq-client-nodejs)/';

const forbid = (name, from, to) => ({ name, severity: 'error', from, to });

module.exports = {
  forbidden: [
    forbid('no-cycles', {}, { circular: true }),
    forbid(
      'core-knows-no-adapter',
      { path: '^packages/core/dist/src' },
      { path: `^packages/(?!core/)|^tools/|^examples/|${CLIENTS}` },
    ),
    forbid(
      'adapters-know-core-only-by-its-adapter-door',
      { path: ADAPTERS },
      { path: '^packages/core/', pathNot: '^packages/core/dist/src/adapter/index\\.js$' },
    ),
    forbid(
      'adapters-do-not-know-each-other',
      { path: ADAPTERS },
      { path: '^packages/adapter-', pathNot: '^packages/adapter-$1/' },
    ),
    forbid('adapters-do-not-know-tools', { path: ADAPTERS }, { path: '^(tools|examples|packages/contract-kit)/' }),
    forbid(
      'only-client-ts-imports-the-client-library',
      { path: '^packages/[^/]+/dist/src', pathNot: '/dist/src/client\\.js$' },
      { path: CLIENTS },
    ),
    forbid(
      'kit-knows-core-only',
      { path: '^packages/contract-kit/dist/src' },
      { path: '^(packages/adapter-|tools/|examples/)' },
    ),
    forbid(
      'cli-knows-core-only',
      { path: '^packages/cli/dist/src' },
      { path: `^packages/(?!cli/|core/dist/src/index\\.js$)|^tools/|^examples/|${CLIENTS}` },
    ),
    forbid(
      'declared-dependencies-only',
      { path: '^packages/[^/]+/dist/src' },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
  },
};
