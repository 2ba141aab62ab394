import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { types } from 'node:util';
import {
  WitnessBook,
  type ServerStart,
  type Witness,
  type WitnessedFacts,
} from '../domain/witness';
import type { WitnessStore } from '../ports/witness.port';
import {
  DRAFT_SUFFIX,
  forsakenFiles,
  readFolder,
  removeFiles,
  thisNode,
  WITNESS_SUFFIX,
} from './witness-folder';
import { toLine, type WitnessLine } from './witness-lines';

export interface WitnessFileOptions {
  /** Size from which the file is written anew, when most of it has become obsolete. */
  readonly compactFromBytes?: number;
}

const COMPACT_FROM_BYTES = 1_048_576;
/** Written anew when the live lines are less than one of this many bytes. */
const OBSOLETE_SHARE = 4;
const BYTES_PER_LINE = 100;

interface Batch {
  readonly lines: string[];
  readonly done: Promise<void>;
  readonly settle: (error?: Error) => void;
}

/**
 * A witness on the disk of this node: one append-only file per process in a folder that all
 * processes of the host share. Calls that come together share one fdatasync.
 *
 * Guaranteed: `keep` resolves after the fact is on the disk; a crash at any instant loses no fact
 * that was kept before; files of other processes are only removed after what they say is in a
 * file of ours, and never while their process may still write to them unnoticed.
 * Not guaranteed: a disk that lies about fsync.
 */
export class WitnessFile implements WitnessStore {
  readonly name = 'file';
  private readonly book = new WitnessBook();
  private readonly path: string;
  private readonly draftPath: string;
  private file: FileHandle | null = null;
  private writtenBytes = 0;
  private waiting: Batch | null = null;
  private writing: Promise<void> = Promise.resolve();
  private forgetful = true;
  private closed = false;

  constructor(
    private readonly folder: string,
    private readonly options: WitnessFileOptions = {},
  ) {
    const unique = `${thisNode()}.${String(process.pid)}.${randomBytes(4).toString('hex')}`;
    this.path = join(folder, `${unique}${WITNESS_SUFFIX}`);
    this.draftPath = join(folder, `${unique}${DRAFT_SUFFIX}`);
  }

  async keep(server: ServerStart, witnesses: readonly Witness[]): Promise<'kept' | 'forgetful'> {
    // Whoever looks at the database while the process ends must not open a file that nobody closes.
    if (this.closed) throw new Error('the witness file is closed');
    const batch = (this.waiting ??= this.openBatch());
    if (this.book.see(server)) batch.lines.push(toLine({ kind: 'server', server }));
    for (const witness of witnesses) {
      const raised = this.book.raise(witness);
      if (raised !== undefined) batch.lines.push(toLine({ kind: 'witness', witness: raised }));
    }
    await batch.done;
    const answer = this.forgetful ? 'forgetful' : 'kept';
    this.forgetful = false;
    return answer;
  }

  async read(): Promise<WitnessedFacts | null> {
    const found = await readFolder(this.folder);
    if (found === null) return null;
    return { server: found.server, witnesses: found.all() };
  }

  /** Ends after what was asked for is written; later facts are refused. The file stays. */
  async close(): Promise<void> {
    this.closed = true;
    await this.writing;
    const { file } = this;
    this.file = null;
    await file?.close();
  }

  private openBatch(): Batch {
    let settle: (error?: Error) => void = () => undefined;
    const done = new Promise<void>((resolve, reject) => {
      settle = (error) => {
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    const batch = { lines: [], done, settle };
    // Whoever comes until the write before has ended shares this one.
    this.writing = this.writing.then(async () => {
      this.waiting = null;
      await this.write(batch);
    });
    return batch;
  }

  /** Never rejects: the callers of the batch are told. */
  private async write({ lines, settle }: Batch): Promise<void> {
    try {
      const file = this.file;
      if (file === null || this.isMostlyObsolete()) await this.writeAnew();
      else if (lines.length > 0) await this.append(file, lines.join(''));
      settle();
    } catch (error) {
      await this.abandon();
      settle(types.isNativeError(error) ? error : new Error(String(error)));
    }
  }

  private async append(file: FileHandle, text: string): Promise<void> {
    const { bytesWritten } = await file.write(text);
    this.writtenBytes += bytesWritten;
    if (bytesWritten < Buffer.byteLength(text)) throw new Error('the disk took only a part');
    await file.datasync();
    // Somebody took this process for dead and removed the file; what it held lives on in the book.
    if ((await file.stat()).nlink === 0) await this.writeAnew();
  }

  private isMostlyObsolete(): boolean {
    if (this.writtenBytes < (this.options.compactFromBytes ?? COMPACT_FROM_BYTES)) return false;
    return this.book.size * BYTES_PER_LINE * OBSOLETE_SHARE < this.writtenBytes;
  }

  /** Whole before it has the name: at every instant a file of ours holds everything kept so far. */
  private async writeAnew(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const forsaken = await forsakenFiles(this.folder, this.path);
    const known = await readFolder(this.folder);
    if (known !== null) this.takeOver(known);
    const text = this.wholeText();
    const draft = await this.putInPlace(text);
    const before = this.file;
    this.file = draft;
    this.writtenBytes = Buffer.byteLength(text);
    await before?.close();
    if (known !== null) await removeFiles(forsaken);
  }

  private async putInPlace(text: string): Promise<FileHandle> {
    const draft = await open(this.draftPath, 'w');
    try {
      await draft.writeFile(text);
      await draft.sync();
      await rename(this.draftPath, this.path);
      await syncFolder(this.folder);
      return draft;
    } catch (error) {
      await draft.close();
      throw error;
    }
  }

  private takeOver(known: WitnessBook): void {
    if (known.server !== null) this.forgetful = false;
    if (known.server !== null) this.book.see(known.server);
    for (const witness of known.all()) this.book.raise(witness);
  }

  private wholeText(): string {
    const lines: WitnessLine[] = [];
    const { server } = this.book;
    if (server !== null) lines.push({ kind: 'server', server });
    for (const witness of this.book.all()) lines.push({ kind: 'witness', witness });
    return lines.map(toLine).join('');
  }

  /** After a failed write nobody knows where the file ends: the next call begins another. */
  private async abandon(): Promise<void> {
    const { file } = this;
    this.file = null;
    await file?.close().catch(() => undefined);
  }
}

/** A name is durable only once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
