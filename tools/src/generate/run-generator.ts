import { staleFiles, writeStaleFiles, type GeneratedFile } from './generated-file';

/** Exit code of a generator: 0 fresh or written, 1 stale under `--check`, 2 wrong use. */
export async function runGenerator(
  run: { readonly root: string; readonly command: string },
  args: readonly string[],
  make: () => readonly GeneratedFile[] | Promise<readonly GeneratedFile[]>,
): Promise<number> {
  const unknown = args.filter((argument) => argument !== '--check');
  if (unknown.length > 0) {
    console.error(`unknown argument ${unknown.join(' ')}; usage: ${run.command} [--check]`);
    return 2;
  }
  const files = await make();
  if (!args.includes('--check')) {
    for (const path of writeStaleFiles(run.root, files)) console.log(`wrote ${path}`);
    return 0;
  }
  const stale = staleFiles(run.root, files);
  for (const path of stale) console.error(`stale ${path}`);
  if (stale.length > 0) console.error(`fix: run \`${run.command}\` and commit what it writes`);
  return stale.length > 0 ? 1 : 0;
}
