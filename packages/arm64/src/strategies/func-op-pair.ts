import {
  fence,
  hexAddress,
  type Impossible,
  littleEndian,
  lock,
  type PatchProgram,
  type PatchStrategy,
  quadOf,
  storeData,
  storePromises,
  unlock,
  waitRcuTasksRude,
} from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";
import { kickAllCpus } from "./text-patching.js";

/** Where the trampoline and the function that calls every tracer lie, from the pair on. */
const TRAMPOLINE = 0x100n;
const LIST = 0x180n;

/**
 * Tracing without CALL_OPS: the trampoline loads the tracer's function and its ops separately, and the update goes through the function
 * that serves every ops.
 */
export const funcOpPair = withoutOptions(
  "funcOpPair",
  (): PatchStrategy => ({
    id: "func-op-pair",
    summary: "a trampoline loads function and ops separately; the update goes through the list function",
    source: "update_ftrace_function and ftrace_modify_all_code, kernel/trace/ftrace.c, 7.3",
    architectures: ["arm64"],
    defaultSite: ".quad target+.quad 1:.quad callee+.quad 2",
    promises: [...storePromises, "pair"],
    plan({ sites }): PatchProgram | Impossible {
      const [site] = sites;
      if (site === undefined || sites.length > 1 || site.next.length !== 16 || site.address % 8n !== 0n)
        return { impossible: "the pair is sixteen bytes at a multiple of 8, function and ops, and there is one." };
      const { address, old, next } = site;
      const [func, op] = [address, address + 8n];
      const tracers = [old, next].map((bytes) => ({
        at: littleEndian(bytes.slice(0, 8)),
        ops: littleEndian(bytes.slice(8)),
      }));
      return {
        main: [
          lock("lock", "ftrace_lock"),
          storeData("set-list", func, quadOf(address + LIST), { note: "serves every ops, so either may come with it" }),
          waitRcuTasksRude("wait-list", "all CPUs now call it"),
          storeData("set-op", op, next.slice(8), { note: "function_trace_op" }),
          fence("wmb", "dmb ishst", "the ops before the function"),
          ...kickAllCpus("sync", "ftrace_sync_ipi: smp_rmb on every CPU"),
          storeData("set-func", func, next.slice(0, 8), { note: "ftrace_trace_function" }),
          unlock("unlock", "ftrace_lock"),
        ],
        around: {
          blocks: [
            ...[...tracers.map(({ at }) => at), address + LIST].map((at) => ({ address: at, code: "ret" })),
            {
              address: address + TRAMPOLINE,
              code: `str x30, [sp, #-16]!+ldr x2, ${hexAddress(op)}+ldr x16, ${hexAddress(func)}+blr x16+ldr x30, [sp], #16+ret`,
            },
          ],
          entries: [address + TRAMPOLINE],
        },
        guards: [{ address: func, bytes: quadOf(address + LIST) }],
        pairs: tracers.map(({ at, ops }) => ({ at, registers: ["x2"], published: [[ops]] })),
      };
    },
  }),
);
