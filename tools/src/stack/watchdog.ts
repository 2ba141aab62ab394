import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Runs beside this process and outlives it by seconds. Its input is a pipe that the kernel closes
 * however this process ends, also by kill -9; it then ends every server still on its list and
 * removes the temporary directories.
 */
const SCRIPT = `
pids=''; dirs=''
while read -r verb first rest; do
  case "$verb" in
    watch) pids="$pids $first:$rest" ;;
    forget) kept=''
      for p in $pids; do [ "\${p%%:*}" = "$first" ] || kept="$kept $p"; done; pids="$kept" ;;
    clean) dirs="$dirs$first
" ;;
    keep) kept=''
      for d in $dirs; do [ "$d" = "$first" ] || kept="$kept$d
"; done; dirs="$kept" ;;
  esac
done
for p in $pids; do kill -CONT "\${p%%:*}"; kill -"\${p##*:}" "\${p%%:*}"; done 2>/dev/null
for round in 1 2 3 4 5; do
  alive=''
  for p in $pids; do kill -0 "\${p%%:*}" 2>/dev/null && alive="$alive \${p%%:*}"; done
  [ -z "$alive" ] && break
  sleep 1
done
[ -z "$alive" ] || kill -KILL $alive 2>/dev/null
for d in $dirs; do case "$d" in */noncekit-*) rm -rf "$d" ;; esac; done
`;

let guard: ChildProcess | undefined;
const watched = new Set<string>();

/** Has `pid` ended with `signal` when this process ends before `forgetServer` was called. */
export function watchServer(pid: number, signal: 'INT' | 'TERM' | 'KILL'): void {
  tell(`watch ${String(pid)} ${signal}`);
  watched.add(`pid ${String(pid)}`);
}

export function forgetServer(pid: number): void {
  if (!watched.delete(`pid ${String(pid)}`)) return;
  tell(`forget ${String(pid)}`);
  dismissWhenIdle();
}

/** Has a directory under the name noncekit-… removed when this process ends before `keepDirectory`. */
export function cleanDirectory(path: string): void {
  // The script splits its lists at white space. Leaving such a directory behind is the lesser harm.
  if (/\s/.test(path)) return;
  tell(`clean ${path}`);
  watched.add(`dir ${path}`);
}

export function keepDirectory(path: string): void {
  if (!watched.delete(`dir ${path}`)) return;
  tell(`keep ${path}`);
  dismissWhenIdle();
}

function tell(line: string): void {
  guard ??= startGuard();
  guard.stdin?.write(`${line}\n`);
}

function startGuard(): ChildProcess {
  // In a session of its own, because Ctrl-C reaches the whole foreground group of a terminal.
  const child = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child;
}

function dismissWhenIdle(): void {
  if (watched.size > 0) return;
  guard?.stdin?.end();
  guard = undefined;
}
