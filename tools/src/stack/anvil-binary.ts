import { dirname, join } from 'node:path';
import { findOnPath, isExecutable } from './find-executable';
import { StackError } from './stack-error';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * The development chain: from its npm package, else from the PATH.
 * @throws StackError that says how to get it.
 */
export function findAnvilBinary(): string {
  const found = fromPackage() ?? findOnPath(['anvil']);
  if (found !== undefined) return found;
  throw new StackError('no anvil for this machine', {
    fix: 'run "npm ci" without --omit=optional, install Foundry (https://getfoundry.sh), or set NONCE_CHAINS and NONCE_CHAIN_<id>_RPC_URLS',
  });
}

function fromPackage(): string | undefined {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}`;
  try {
    const program = join(dirname(require.resolve(`${name}/package.json`)), 'bin/anvil');
    return isExecutable(program) ? program : undefined;
  } catch {
    return undefined;
  }
}
