import { bypass } from "./bypass-2008.js";
import { callOps2024 } from "./call-ops-2024.js";
import type { Claim, Thread } from "./claim.js";
import { ftrace2012 } from "./ftrace-2012.js";
import { jumpLabel2010 } from "./jump-label-2010.js";
import { nmis } from "./nmi-2008.js";
import { textPoke2019 } from "./text-poke-2019.js";

const number = ({ id }: Claim): number => Number(id.split("-")[1]);

const nmi2008: Thread = {
  id: "2008",
  title: "[PATCH 0/3] ring-buffer: less locking and only disable preemption",
  source: "LKML",
  date: "October 2008",
  claims: [...nmis, ...bypass].sort((a, b) => number(a) - number(b)),
};

/** The threads in the order of their years. */
export const threads: readonly Thread[] = [nmi2008, jumpLabel2010, ftrace2012, textPoke2019, callOps2024];
