import type { RuleBook } from "../contract/rule.js";
import * as assertions from "../services/assertions.js";
import * as emulation from "../services/emulation.js";
import * as grace from "../services/grace-periods.js";
import * as interrupts from "../services/interrupts.js";
import * as ipi from "../services/ipi.js";
import * as services from "../services/locks.js";
import * as mappings from "../services/mappings.js";
import * as nested from "../services/nested-nmis.js";
import * as packets from "../services/packet-decoder.js";
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
    emulation.lookupRule,
    emulation.emulateRule,
    emulation.restartRule,
    traps.unclaimedRule,
    traps.returnFromTrapRule,
    interrupts.irqRule,
    interrupts.nmiRule,
    nested.nestedNmiRule,
    nested.repeatNmiRule,
    interrupts.callPatchedRule,
    ipi.sendIpiRule,
    ipi.takeIpiRule,
    ipi.syncCoreRule,
    ipi.ackRule,
    ipi.waitIpiRule,
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
    mappings.freeCodeRule,
    mappings.mapCodeRule,
    mappings.setMemoryRule,
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
    ipi.postMap,
    stop.queueStopperMap,
    grace.markGraceMap,
    mappings.strandMap,
    words.setCpuWordMap,
    words.addCpuWordMap,
    packets.decoderLagMap,
  ],
  predicates: [ipi.acknowledgedPredicate, stop.notStoppedPredicate, grace.noGraceMarkPredicate, words.cpuWordPredicate],
};
