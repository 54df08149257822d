// A traced function's trampoline is given back when its call is gone: who was preempted in it may still be there.
export default ({ x86, expectText, freeCode, waitRcuTasks }) => {
  const at = 0xffffffff_81000000n;
  const trampoline = at + 0x1000n;
  const int3 = x86.int3();
  const unregister = {
    ...int3,
    id: "unregister-ftrace-function",
    plan(flip, context) {
      const plan = int3.plan(flip, context);
      const [site] = flip.sites;
      return {
        ...plan,
        main: [
          expectText("verify", site.address, site.old, "ftrace_verify_code"),
          ...plan.main,
          waitRcuTasks("wait-tasks", "everybody has left the trampoline"),
          freeCode("free-trampoline", trampoline, 2),
        ],
      };
    },
  };
  return {
    name: "a trampoline is given back",
    sites: [{ address: at, old: `call ${trampoline}`, new: "nop5" }],
    blocks: [{ address: trampoline, code: "nop+ret" }],
    patchers: [{ strategy: unregister, sites: [0], flips: 1 }],
    executors: [{ count: 1 }],
    preempt: true,
    cpus: 2,
  };
};
