import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { embeddedFiles } from '../src/embed/embedded-files';
import { parseSqlStatement } from '../src/embed/sql-statement';
import { staleFiles, writeStaleFiles } from '../src/generate/generated-file';

const sql = (text: string) =>
  parseSqlStatement({ name: 'read-row.sql', key: 'readRow', text: text.trim() });

describe('the SQL embedder', () => {
  it('reads promise, parameters and heat from the header', () => {
    const statement = sql(`
-- Reads one row.
-- hot
-- $1 row_id uuid  the owner token
-- $2 note text null
SELECT ':schema.x'::regclass, $1, $2 FROM :schema.t -- a comment; with $9
WHERE note <> 'a;b:c $7'`);
    expect(statement).toMatchObject({
      comment: ['Reads one row.'],
      hot: true,
      parameters: [
        { name: 'rowId', type: 'uuid', nullable: false, comment: 'the owner token' },
        { name: 'note', type: 'text', nullable: true, comment: '' },
      ],
    });
  });

  it('accepts function bodies whose dollar-quoted text holds many statements', () => {
    const body = 'CREATE FUNCTION :schema.f() RETURNS void AS $body$ a; b; $1 $body$ LANGUAGE sql;';
    expect(sql(`-- Defines f.\n${body}`).parameters).toEqual([]);
  });

  it.each([
    ['SELECT 1', 'must say what it promises'],
    ['-- Two.\nSELECT 1; SELECT 2', 'one statement per file'],
    ['-- Nothing.', 'holds no statement'],
    ['-- Undeclared.\nSELECT $1', '$1 has no header line'],
    ['-- Unused.\n-- $1 a text\nSELECT 1', 'parameter a is not used'],
    ['-- Order.\n-- $2 a text\nSELECT $2', 'header names $2 where $1 is due'],
    ['-- Form.\n-- $1 A\nSELECT $1', 'is not "$n name type'],
    ['-- Placeholder.\nSELECT * FROM :other.t', 'unknown placeholder :other'],
    ['-- Same.\n-- $1 a text\n-- $2 a text\nSELECT $1, $2', 'two parameters share a name'],
  ])('refuses %j', (text, message) => {
    expect(() => sql(text)).toThrow(message);
  });
});

describe('the embedded modules', () => {
  const root = mkdtempSync(join(tmpdir(), 'embed-'));
  afterAll(() => {
    rmSync(root, { recursive: true });
  });
  const put = (path: string, text: string) => {
    const file = join(root, 'libs/nonce-core/src', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };

  it('are stale when a source changes and fresh after writing', () => {
    put('postgres/sql/ping.sql', '-- Answers.\nSELECT 1;\n');
    writeStaleFiles(root, embeddedFiles(root));
    expect(staleFiles(root, embeddedFiles(root))).toEqual([]);
    put('postgres/sql/ping.sql', '-- Answers.\nSELECT 2;\n');
    expect(staleFiles(root, embeddedFiles(root))).toEqual([
      'libs/nonce-core/src/postgres/generated/sql.ts',
    ]);
  });

  it('carry functions in the order of their list, under a version that counts their changes', () => {
    const functions = () =>
      embeddedFiles(root).find(({ path }) => path.endsWith('generated/functions.ts'))?.content ??
      '';
    put(
      'postgres/functions/all.sql',
      '-- In order.\n\n--#include later.sql\n--#include early.sql\n',
    );
    put('postgres/functions/early.sql', 'SELECT 1;\n');
    expect(functions).toThrow('all.sql: there is no later.sql');
    put('postgres/functions/later.sql', 'SELECT 2;\n');
    const versions = ['SELECT 2;', 'SELECT 2;', 'SELECT 3;'].map((text) => {
      put('postgres/functions/later.sql', `${text}\n`);
      writeStaleFiles(root, embeddedFiles(root));
      return /version: (\d+)/.exec(functions())?.[1];
    });
    expect(versions).toEqual(['2', '2', '3']);
    expect(functions()).toMatch(/later\.sql[\s\S]+early\.sql/);
    put('postgres/functions/forgotten.sql', 'SELECT 4;\n');
    expect(functions).toThrow('all.sql: does not name forgotten.sql');
    rmSync(join(root, 'libs/nonce-core/src/postgres/functions'), { recursive: true });
  });

  it('refuse a Lua script whose header leaves out what it replies', () => {
    put('redis/lua/one.lua', '-- Guarantee: none. KEYS[1] a. ARGV[1] b.\nreturn 1\n');
    expect(() => embeddedFiles(root)).toThrow('one.lua: the header does not state replies');
    put('redis/lua/one.lua', '-- Guarantee: none. KEYS[1] a. ARGV[1] b. Replies 1.\nreturn 1\n');
    expect(embeddedFiles(root).at(-1)?.content).toContain("sha1: '");
  });

  it('carry the text of a fragment in each script that includes it', () => {
    put('redis/lua/include/shared.lua', '-- Told once.\nlocal function one()\n  return 1\nend\n');
    const header = '-- Guarantee: none. KEYS[1] a. ARGV[1] b. Replies 1.\n';
    put('redis/lua/one.lua', `${header}--#include shared.lua\nreturn one()\n`);
    const content = embeddedFiles(root).at(-1)?.content ?? '';
    expect(content).toContain('local function one()\n  return 1\nend\nreturn one()`');
    expect(content).not.toContain('#include');
    put('redis/lua/one.lua', `${header}--#include absent.lua\nreturn 1\n`);
    expect(() => embeddedFiles(root)).toThrow('one.lua: no fragment is named absent.lua');
    put('redis/lua/one.lua', `${header}return 1\n`);
  });

  it('refuse a parameter type that has no driver type', () => {
    put('postgres/sql/ping.sql', '-- Answers.\n-- $1 a money\nSELECT $1;\n');
    expect(() => embeddedFiles(root)).toThrow('ping.sql: type money is none of');
  });
});
