import type { RuleBook } from "../contract/rule.js";
import * as text from "../fetch/text.js";
import * as assertions from "../services/assertions.js";
import * as grace from "../services/grace-periods.js";
import * as interrupts from "../services/interrupts.js";
import * as services from "../services/locks.js";
import * as nested from "../services/nested-nmis.js";
import * as patching from "../services/patching.js";
import * as sections from "../services/read-sections.js";
import * as scheduling from "../services/scheduling.js";
import * as stop from "../services/stop-machine.js";
import * as tracing from "../services/text-poke-events.js";
import * as traps from "../services/traps.js";
import * as words from "../services/words.js";

/** The rules that every machine has; the memory order adds how machine code executes. */
export const coreRules: RuleBook = {
  rules: [
    patching.beginCallRule,
    patching.storeRule,
    patching.storeDataRule,
    patching.freeDataRule,
    tracing.publishEventRule,
    patching.maintainRule,
    patching.publishRule,
    patching.returnCallRule,
    traps.enterTrapRule,
    traps.lookupRule,
    traps.emulateRule,
    traps.restartRule,
    traps.unclaimedRule,
    traps.returnFromTrapRule,
    interrupts.irqRule,
    interrupts.nmiRule,
    nested.nestedNmiRule,
    nested.repeatNmiRule,
    interrupts.callPatchedRule,
    interrupts.sendIpiRule,
    interrupts.takeIpiRule,
    interrupts.syncCoreRule,
    interrupts.ackRule,
    interrupts.waitIpiRule,
    interrupts.maskIrqRule,
    interrupts.unmaskIrqRule,
    interrupts.returnFromInterruptRule,
    scheduling.preemptRule,
    scheduling.resumeRule,
    scheduling.takeStopperRule,
    scheduling.exitStopperRule,
    scheduling.exitTaskRule,
    stop.queueStopRule,
    stop.ackStopRule,
    stop.awaitStopStageRule,
    stop.awaitStopRule,
    grace.beginGraceRule,
    grace.awaitGraceRule,
    sections.readLockRule,
    sections.readUnlockRule,
    services.lockRule,
    services.unlockRule,
    services.enterWindowRule,
    services.leaveWindowRule,
    services.armTrapRule,
    services.disarmTrapRule,
    services.fenceRule,
    text.freeCodeRule,
    text.mapCodeRule,
    text.setMemoryRule,
    assertions.assertRule,
    assertions.expectTextRule,
    words.setRule,
    words.loadRule,
    words.addRule,
    words.untilRule,
    words.freeRule,
    words.setEachCpuRule,
    words.addEachCpuRule,
    words.untilEachCpuRule,
    words.tryGetRule,
    words.putRule,
  ],
  maps: [
    patching.ageMap,
    interrupts.postMap,
    stop.queueStopperMap,
    grace.markGraceMap,
    text.strandMap,
    words.setCpuWordMap,
    words.addCpuWordMap,
  ],
  predicates: [
    interrupts.acknowledgedPredicate,
    stop.notStoppedPredicate,
    grace.noGraceMarkPredicate,
    words.cpuWordPredicate,
  ],
};
