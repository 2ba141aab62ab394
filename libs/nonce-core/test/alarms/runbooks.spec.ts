import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALARM_KINDS, runbookOf } from '../../src/domain/alarm';

const ROOT = join(__dirname, '../../../..');
const CLI = readFileSync(join(ROOT, 'tools/noncectl/src/program.ts'), 'utf8');
const REFERENCE = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');

describe.each(ALARM_KINDS)('the runbook of %s', (kind) => {
  const path = join(ROOT, runbookOf(kind));
  const text = () => readFileSync(path, 'utf8');

  it('is there, and begins with its alarm', () => {
    expect(existsSync(path)).toBe(true);
    expect(text()).toMatch(new RegExp(`^# Alarm \`${kind}\`: `));
  });

  it('names only commands and settings that exist', () => {
    const commands = [...text().matchAll(/noncectl ([a-z]+)/g)].map(([, name]) => name);
    for (const name of commands) expect(CLI).toContain(`.command('${String(name)}')`);
    const settings = [...text().matchAll(/`(NONCE_[A-Z_]+_MS|NONCE_ALARM_[A-Z_]+)`/g)];
    for (const [, name] of settings) expect(REFERENCE).toContain(`\`${String(name)}\``);
    const links = [...text().matchAll(/\]\(([^)]+\.md)\)/g)].map(([, link]) => String(link));
    for (const link of links) expect(existsSync(join(ROOT, 'docs/runbooks', link))).toBe(true);
  });
});
