import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { listFiles } from '../workspace/list-files';
import { checkCompose } from './compose-rules';
import { checkDockerfile } from './dockerfile-rules';
import type { Finding } from './finding';
import type { KnownNames } from './known-names';

/** Checks every Dockerfile and compose file of `docker/`. No engine is needed. */
export function lintDocker(root: string, knows: KnownNames): readonly Finding[] {
  return listFiles(root, 'docker').flatMap((file) => {
    if (/(^|\.)Dockerfile$/.test(basename(file))) {
      return checkDockerfile(root, file, readFileSync(join(root, file), 'utf8'));
    }
    return /^compose.*\.ya?ml$/.test(basename(file)) ? checkCompose(root, file, knows) : [];
  });
}
