import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Epoch } from '../../src/domain/epoch';
import type { ServerStart, Witness } from '../../src/domain/witness';
import { WitnessFile } from '../../src/witness/witness-file';
import { newSubmitter } from '../support/store-fixture';

const SERVER: ServerStart = { systemId: '7', startedAt: '1000', timeline: '1', lsn: '500' };

let folder: string;
const opened: WitnessFile[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'witness-'));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((file) => file.close()));
  await rm(folder, { recursive: true, force: true });
});

function openFile(options: { compactFromBytes?: number } = {}, within = folder): WitnessFile {
  const file = new WitnessFile(within, options);
  opened.push(file);
  return file;
}

const witness = (epoch: number, ceiling: number, submitter = newSubmitter()): Witness => ({
  submitter,
  epoch: epoch as Epoch,
  ceiling,
});

/** The only witness file of the folder. */
async function onlyPath(): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.witness'));
  expect(names).toHaveLength(1);
  return join(folder, names[0] ?? '');
}

describe('the witness file', () => {
  it('tells another process everything that was kept, the highest per submitter', async () => {
    const submitter = newSubmitter();
    const file = openFile();
    await file.keep(SERVER, [witness(1, 32, submitter)]);
    await file.keep({ ...SERVER, lsn: '900' }, [witness(3, 96, submitter)]);
    await file.keep(SERVER, [witness(2, 64, submitter)]);
    expect(await openFile().read()).toEqual({
      server: { ...SERVER, lsn: '900' },
      witnesses: [witness(3, 96, submitter)],
    });
  });

  it('says whether anything was known before the first call', async () => {
    expect(await openFile().keep(SERVER, [])).toBe('forgetful');
    expect(await openFile().keep(SERVER, [])).toBe('kept');
  });

  it('writes calls that come together by one write, all on the disk when they resolve', async () => {
    const file = openFile();
    await file.keep(SERVER, []);
    const many = Array.from({ length: 200 }, (_, i) => witness(1, i));
    await Promise.all(many.map((one) => file.keep(SERVER, [one])));
    const onDisk = await openFile().read();
    expect(onDisk?.witnesses).toHaveLength(200);
  });

  it('loses at a truncation at any byte only what was written after it', async () => {
    const submitters = [newSubmitter(), newSubmitter()];
    const file = openFile();
    await file.keep(SERVER, []);
    const sizes: number[] = [];
    const path = await onlyPath();
    for (let ceiling = 1; ceiling <= 6; ceiling += 1) {
      await file.keep(SERVER, [witness(1, ceiling, submitters[ceiling % 2])]);
      sizes.push((await readFile(path)).length);
    }
    const whole = await readFile(path);
    for (let bytes = 0; bytes <= whole.length; bytes += 1) {
      await writeFile(path, whole);
      await truncate(path, bytes);
      const complete = sizes.filter((size) => size <= bytes).length;
      const read = await openFile().read();
      expect(Math.max(0, ...(read?.witnesses ?? []).map((one) => one.ceiling))).toBe(complete);
    }
  });

  it('ignores a line whose bytes changed and keeps the others', async () => {
    const file = openFile();
    await file.keep(SERVER, [witness(1, 10)]);
    await file.keep(SERVER, [witness(1, 77)]);
    const path = await onlyPath();
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(',77]', ',99]'));
    const read = await openFile().read();
    expect(read?.witnesses.map((one) => one.ceiling)).toEqual([10]);
  });

  it('goes on after a torn tail without tearing what follows', async () => {
    const first = openFile();
    await first.keep(SERVER, [witness(1, 10)]);
    await first.close();
    await appendFile(await onlyPath(), 'c0ffee00 ["w","eip');
    await openFile().keep(SERVER, [witness(1, 20)]);
    const ceilings = (await openFile().read())?.witnesses.map((one) => one.ceiling);
    expect(ceilings?.sort()).toEqual([10, 20]);
  });

  it('stays small and whole however often the same submitters rise', async () => {
    const submitter = newSubmitter();
    const file = openFile({ compactFromBytes: 4_096 });
    for (let ceiling = 1; ceiling <= 300; ceiling += 1) {
      await file.keep(SERVER, [witness(1, ceiling, submitter)]);
    }
    expect((await readFile(await onlyPath())).length).toBeLessThan(8_192);
    expect((await openFile().read())?.witnesses).toEqual([witness(1, 300, submitter)]);
  });

  it('reads what the other processes of the host keep in the same folder', async () => {
    const [one, other] = [openFile(), openFile()];
    await one.keep(SERVER, [witness(1, 11)]);
    await other.keep(SERVER, [witness(1, 22)]);
    const ceilings = (await one.read())?.witnesses.map((kept) => kept.ceiling);
    expect(ceilings?.sort()).toEqual([11, 22]);
  });

  it('keeps nothing after it was closed, so that no file stays open behind the end', async () => {
    const file = openFile();
    const before = file.keep(SERVER, [witness(1, 10)]);
    const closing = file.close();
    await expect(file.keep(SERVER, [witness(1, 20)])).rejects.toThrow('closed');
    await Promise.all([before, closing]);
    await expect(file.keep(SERVER, [])).rejects.toThrow('closed');
    expect((await openFile().read())?.witnesses.map((one) => one.ceiling)).toEqual([10]);
  });

  it('takes over and removes the file of a process that ended', async () => {
    const file = openFile();
    await file.keep(SERVER, [witness(1, 33)]);
    await file.close();
    const path = await onlyPath();
    // No process of Linux has a number above 2^22.
    const dead = path.replace(`.${String(process.pid)}.`, '.4194305.');
    await writeFile(dead, await readFile(path));
    await rm(path);
    await openFile().keep(SERVER, []);
    expect(await onlyPath()).not.toBe(dead);
    expect((await openFile().read())?.witnesses.map((kept) => kept.ceiling)).toEqual([33]);
  });

  it('notices that its file was removed, before it says that a fact is kept', async () => {
    const file = openFile();
    await file.keep(SERVER, [witness(1, 10)]);
    await rm(folder, { recursive: true });
    await file.keep(SERVER, [witness(1, 20)]);
    const ceilings = (await openFile().read())?.witnesses.map((kept) => kept.ceiling);
    expect(ceilings?.sort()).toEqual([10, 20]);
  });

  it('fails a call it cannot write, and works again when it can', async () => {
    const blocked = join(folder, 'blocked');
    await writeFile(blocked, 'not a folder');
    const file = openFile({}, blocked);
    await expect(file.keep(SERVER, [witness(1, 10)])).rejects.toThrow();
    await rm(blocked);
    await file.keep(SERVER, [witness(1, 20)]);
    expect((await openFile({}, blocked).read())?.witnesses).toHaveLength(2);
  });

  it('says that it cannot be read rather than that it is empty', async () => {
    const blocked = join(folder, 'blocked');
    await writeFile(blocked, 'not a folder');
    expect(await openFile({}, blocked).read()).toBeNull();
    expect(await openFile({}, join(folder, 'none yet')).read()).toEqual({
      server: null,
      witnesses: [],
    });
  });
});
