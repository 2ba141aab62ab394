const { resolve } = require('node:path');

const root = resolve(__dirname, '../../..');

/**
 * What the packages' names stand for while tests run: the sources, never a build that may be old.
 * Jest and the Node processes that tests start both read this table.
 */
module.exports = {
  root,
  /** Whole names. */
  names: {
    '@noncekit/nonce-core': resolve(root, 'libs/nonce-core/src/index.ts'),
    '@noncekit/nonce-core/domain': resolve(root, 'libs/nonce-core/src/domain.ts'),
    '@noncekit/nonce-core/ports': resolve(root, 'libs/nonce-core/src/ports.ts'),
    '@noncekit/nonce-core/testing': resolve(root, 'libs/nonce-core/src/testing.ts'),
    '@noncekit/chain-adapter': resolve(root, 'libs/chain-adapter/src/index.ts'),
    '@noncekit/tools': resolve(root, 'tools/src/stack/index.ts'),
  },
  /** First parts of names; what follows is a file of that folder. */
  folders: {
    '@noncekit/test-support/': resolve(root, 'libs/nonce-core/test/support'),
  },
};
