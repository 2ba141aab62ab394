import { LUA, type LuaScript } from './generated/lua';

export const FAST_SCRIPTS = {
  allocate: LUA.fastAllocate,
  settle: LUA.fastSettle,
  open: LUA.fastOpen,
  refill: LUA.fastRefill,
  retire: LUA.fastRetire,
  handOver: LUA.fastHandOver,
  forget: LUA.fastForget,
  mode: LUA.fastMode,
  canary: LUA.fastCanary,
  reclaim: LUA.fastReclaim,
  status: LUA.fastStatus,
  incarnation: LUA.fastIncarnation,
} as const;

export type FastScriptName = keyof typeof FAST_SCRIPTS;
export type FastScripts = Readonly<Record<FastScriptName, LuaScript>>;
