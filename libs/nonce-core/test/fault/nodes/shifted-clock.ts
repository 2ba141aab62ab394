let shiftMs = 0;
let installed = false;

/** Lets this process's wall clock be wrong by a given time, as `Date.now` and `new Date` tell it. */
export function shiftWallClock(byMs: number): void {
  shiftMs = byMs;
  if (installed) return;
  installed = true;
  const RealDate = Date;
  const nowMs = (): number => RealDate.now() + shiftMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, parameters) =>
      parameters.length === 0
        ? new target(nowMs())
        : (Reflect.construct(target, parameters) as object),
    get: (target, name) => (name === 'now' ? nowMs : (Reflect.get(target, name) as unknown)),
  });
}
