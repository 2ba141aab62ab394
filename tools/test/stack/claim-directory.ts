import { StackDirectory } from '../../src/stack/stack-directory';
import { commands, report } from '../../../libs/nonce-core/test/support/child-messages';

/** Claims the folder it is given and holds it for as long as it lives. */
async function main(): Promise<void> {
  const [path] = process.argv.slice(2);
  if (path === undefined) throw new Error('give the folder to claim');
  StackDirectory.claim(path);
  report('claimed');
  for await (const command of commands()) report(command);
}

void main();
