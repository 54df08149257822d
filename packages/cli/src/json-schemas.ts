import type {
  Bounds,
  Choice,
  CpuNumbers,
  EmptyWait,
  NotJudged,
  OtherOrder,
  PropertyId,
  SavedTrace,
  SiteOutcome,
  UsedPlugin,
  Verdict,
} from "@cmodx/core";
import {
  anything,
  atLeast,
  either,
  flag,
  list,
  name,
  nothing,
  number,
  object,
  oneOf,
  only,
  optional,
  programSchema,
  record,
  type Schema,
  text,
  whole,
} from "@cmodx/core/schema";
import type {
  AblateJson,
  AblateRowJson,
  BoundsJson,
  BranchJson,
  BrokenJson,
  CellJson,
  CheckAllJson,
  CheckJson,
  ClaimJson,
  ClassJson,
  ConformJson,
  ContradictionJson,
  CostFitJson,
  CostJson,
  CostValueJson,
  CounterexampleJson,
  CounterexampleStepJson,
  EnvironmentJson,
  ErrorJson,
  FittedJson,
  GalleryEntryJson,
  GalleryJson,
  ListJson,
  LitmusJson,
  LitmusTestJson,
  MatrixJson,
  ModelJson,
  NotCoveredJson,
  OffsetJson,
  OutcomeJson,
  OutcomesJson,
  PairJson,
  PairsJson,
  PairWayJson,
  PatcherJson,
  PatchJson,
  PatchRunJson,
  QuestionJson,
  RecordedFilesJson,
  RecordJson,
  RepairJson,
  ReplayJson,
  ScanJson,
  ScannedJson,
  ShowJson,
  SiteJson,
  SiteRowJson,
  SpreadJson,
  StrategyJson,
  ThreadEntryJson,
  ThreadJson,
  ValueJson,
  VariationJson,
} from "./json.js";

/*
 * The schemas of the documents that `--json` prints, from which the published JSON Schema files are made. A field that a document gets is
 * one line here, beside the one in its type: without it, this does not compile.
 */

const orNull = <T>(of: Schema<T>): Schema<T | null> => either("a value, or null", of, nothing);
const texts = list("texts", text);
const count = whole(0);
/** States in sets may be more than a number tells exactly. */
const stateCount = atLeast(0);
const property = name<PropertyId>();
const properties = list<PropertyId>("properties", property);

const verdict = oneOf<Verdict["verdict"]>({ safe: true, unsafe: true, vacuous: true, inconclusive: true });
const verdictOrImpossible = oneOf<OffsetJson["verdict"]>({
  safe: true,
  unsafe: true,
  vacuous: true,
  inconclusive: true,
  impossible: true,
});
const memory = oneOf<BoundsJson["memory"]>({ sequential: true, architectural: true });
const reached = oneOf<keyof Bounds | "interrupted">({
  states: true,
  bytes: true,
  milliseconds: true,
  interrupted: true,
});
const reachedInCheck = oneOf<NonNullable<BoundsJson["reached"]>>({
  states: true,
  bytes: true,
  milliseconds: true,
  interrupted: true,
  cpus: true,
});
const flips: Schema<number | "forever"> = either('a number of flips, or "forever"', count, only("forever"));

const siteSchema: Schema<SiteJson> = object("a site", {
  address: text,
  offset: count,
  old: text,
  new: text,
  oldBytes: text,
  newBytes: text,
  origin: orNull(text),
});

const patcherSchema: Schema<PatcherJson> = object("a patcher", {
  strategy: text,
  sites: list("indices of sites", count),
  flips,
  drop: texts,
  add: texts,
});

const variationSchema: Schema<VariationJson> = object("a variation", {
  option: text,
  asked: text,
  module: orNull(text),
});

const fetchSchema: Schema<BoundsJson["fetch"]> = object("a fetch model", { id: text, source: text });

const limitsSchema: Schema<BoundsJson["limits"]> = object("limits", {
  states: orNull(number),
  megabytes: orNull(number),
  seconds: orNull(number),
});

const usedPluginSchema: Schema<UsedPlugin> = object("a plugin", { id: text, replaces: texts });

const boundsSchema: Schema<BoundsJson> = object("bounds", {
  architecture: text,
  fetch: fetchSchema,
  memory,
  decoder: orNull(oneOf({ instants: true, packets: true })),
  cpus: count,
  flips,
  flipsWhy: orNull(text),
  strategyWhy: orNull(text),
  irq: flag,
  nmi: flag,
  nestedIret: oneOf<BoundsJson["nestedIret"]>({ guarded: true, unguarded: true }),
  preempt: flag,
  user: flag,
  sites: list("sites", siteSchema),
  patchers: list("patchers", patcherSchema),
  variations: list("variations", variationSchema),
  plugins: list("plugins", usedPluginSchema),
  properties,
  limits: limitsSchema,
  reached: orNull(reachedInCheck),
});

const numbersSchema: Schema<CpuNumbers> = object("numbers of CPUs", {
  from: count,
  to: count,
  beyond: flag,
  why: orNull(text),
});

const choiceFields = { cpu: count, rule: text, step: orNull(text), candidate: count, choice: count };

const observationSchema: Schema<CounterexampleStepJson["observed"][number]> = object("an observation", {
  what: text,
  detail: anything,
});

const stepSchema: Schema<CounterexampleStepJson> = object("a step", {
  ...choiceFields,
  number: whole(1),
  does: text,
  observed: list("observations", observationSchema),
  memory: texts,
});

const counterexampleFields = { steps: list("steps", stepSchema), loop: orNull(whole(1)) };
const counterexampleSchema: Schema<CounterexampleJson> = object("a counterexample", counterexampleFields);
const shortestSchema: Schema<NonNullable<CheckJson["counterexample"]>> = object("a counterexample", {
  ...counterexampleFields,
  shortest: flag,
});

const valueSchema: Schema<ValueJson> = object("a value", { name: text, value: text });
const brokenSchema: Schema<BrokenJson> = object("a broken property", {
  property,
  why: text,
  values: list("values", valueSchema),
});

const emptyWaitSchema: Schema<EmptyWait> = object("a wait for nobody", { flavour: text, near: texts });
const notJudgedSchema: Schema<NotJudged> = object("a property that is not judged", { property, why: text });

const outcomeSchema: Schema<OutcomeJson> = object("an outcome", {
  cpus: list("CPUs", count),
  site: count,
  offset: count,
  address: text,
  how: oneOf<SiteOutcome["how"]>({ executed: true, emulated: true }),
  kind: oneOf<SiteOutcome["kind"]>({ old: true, new: true, both: true, breakpoint: true, guard: true, torn: true }),
  bytes: text,
  text,
  levels: list(
    "contexts",
    oneOf<SiteOutcome["levels"][number]>({ task: true, stopper: true, irq: true, trap: true, nmi: true }),
  ),
  fresh: flag,
  stale: flag,
  during: flag,
  outside: flag,
  late: flag,
  refused: texts,
});

const outcomesSchema: Schema<OutcomesJson> = object("outcomes", {
  complete: flag,
  reached: orNull(reached),
  states: stateCount,
  seconds: number,
  list: list("outcomes", outcomeSchema),
});

const foundSchema: Schema<RepairJson["found"][number]> = object("a repair", {
  add: text,
  kind: text,
  after: orNull(text),
  inside: orNull(
    oneOf<NonNullable<RepairJson["found"][number]["inside"]>>({ handler: true, run: true, secondaries: true }),
  ),
  patcher: count,
});

const repairSchema: Schema<RepairJson> = object("a search for repairs", {
  tried: count,
  candidates: count,
  states: stateCount,
  complete: flag,
  undecided: texts,
  found: list("repairs", foundSchema),
});

const judgedFields = {
  verdict: verdictOrImpossible,
  property: orNull(property),
  states: stateCount,
  seconds: number,
  why: orNull(text),
};
const offsetSchema: Schema<OffsetJson> = object("a place in the line", { ...judgedFields, offset: count });
const modelSchema: Schema<ModelJson> = object("a fetch model", { ...judgedFields, fetch: text });

const otherOrderSchema: Schema<OtherOrder> = object("a memory order", {
  memory,
  verdict,
  property: orNull(property),
  why: orNull(text),
  states: stateCount,
});

const check: Schema<CheckJson> = object("the document of cmodx check", {
  schema: only("cmodx/check/1"),
  verdict,
  property: orNull(property),
  why: orNull(text),
  broken: list("broken properties", brokenSchema),
  alsoBroken: properties,
  states: stateCount,
  transitions: orNull(count),
  seconds: number,
  bounds: boundsSchema,
  numbers: orNull(numbersSchema),
  unused: texts,
  otherwise: orNull(oneOf<NonNullable<CheckJson["otherwise"]>>({ safe: true, vacuous: true })),
  notJudged: list("properties", notJudgedSchema),
  notExecuted: list("sites", count),
  emptyWaits: list("waits", emptyWaitSchema),
  otherOrder: orNull(otherOrderSchema),
  notPromised: properties,
  faults: texts,
  opaque: list("instructions", object("an instruction", { at: text, text })),
  interruptsPerFlip: orNull(number),
  ipiRoundsPerFlip: orNull(number),
  counterexample: orNull(shortestSchema),
  stronger: orNull(text),
  repair: orNull(repairSchema),
  outcomes: orNull(outcomesSchema),
  offsets: list("places", offsetSchema),
  models: list("fetch models", modelSchema),
  saved: orNull(text),
});

const classSchema: Schema<ClassJson> = object("a class of sites", {
  kind: text,
  instruction: text,
  offset: orNull(count),
  hazards: texts,
  sites: count,
  first: object("a site", { number: count, symbol: orNull(text), address: text }),
  strategy: orNull(text),
  verdict: verdictOrImpossible,
  property: orNull(property),
  why: orNull(text),
});

const checkAll: Schema<CheckAllJson> = object("the document of cmodx check --all", {
  schema: only("cmodx/check-all/1"),
  file: text,
  machine: text,
  fetch: text,
  sites: count,
  padding: count,
  unchecked: count,
  cut: orNull(text),
  stronger: orNull(text),
  classes: list("classes", classSchema),
});

const replay: Schema<ReplayJson> = object("the document of cmodx replay", {
  schema: only("cmodx/replay/1"),
  property,
  why: text,
  broken: list("broken properties", brokenSchema),
  counterexample: counterexampleSchema,
});

const environmentSchema: Schema<EnvironmentJson> = object("an environment", {
  id: text,
  site: orNull(text),
  offset: orNull(count),
  flips: count,
  irq: flag,
  nmi: flag,
  preempt: flag,
});

const cellSchema: Schema<CellJson> = object("a cell", {
  strategy: text,
  fetch: text,
  environment: text,
  verdict: verdictOrImpossible,
  property: orNull(property),
  broken: properties,
  why: orNull(text),
  sequential: orNull(property),
  offset: orNull(count),
  flips: count,
  states: stateCount,
  seconds: number,
});

const matrix: Schema<MatrixJson> = object("the document of cmodx matrix", {
  schema: only("cmodx/matrix/1"),
  architecture: text,
  cpus: count,
  memory,
  environments: list("environments", environmentSchema),
  cells: list("cells", cellSchema),
});

const pairWaySchema: Schema<PairWayJson> = object("a way", {
  way: text,
  verdict: verdictOrImpossible,
  property: orNull(property),
  broken: properties,
  why: orNull(text),
  states: stateCount,
});

const pairSchema: Schema<PairJson> = object("a pair", {
  group: text,
  old: text,
  new: text,
  needs: orNull(text),
  ways: list("ways", pairWaySchema),
});

const waySchema: Schema<PairsJson["ways"][number]> = object("a way", {
  id: text,
  mark: text,
  means: text,
  strategy: text,
});

const groupSchema: Schema<PairsJson["groups"][number]> = object("a group", {
  id: text,
  fetch: text,
  offset: count,
  names: texts,
});

const pairs: Schema<PairsJson> = object("the document of cmodx matrix --pairs", {
  schema: only("cmodx/pairs/1"),
  architecture: text,
  cpus: count,
  ways: list("ways", waySchema),
  groups: list("groups", groupSchema),
  pairs: list("pairs", pairSchema),
});

const rowSchema: Schema<AblateRowJson> = object("a combination", {
  dropped: texts,
  profile: text,
  site: oneOf<AblateRowJson["site"]>({ "in one line": true, crossing: true }),
  verdict: oneOf<AblateRowJson["verdict"]>({
    safe: true,
    unsafe: true,
    vacuous: true,
    inconclusive: true,
    impossible: true,
    "not decided": true,
  }),
  property: orNull(property),
  sequential: orNull(property),
  interruptsPerFlip: orNull(number),
});

const ablate: Schema<AblateJson> = object("the document of cmodx ablate", {
  schema: only("cmodx/ablate/1"),
  architecture: text,
  strategy: text,
  site: text,
  cpus: count,
  irq: flag,
  nmi: flag,
  preempt: flag,
  memory,
  steps: texts,
  most: count,
  rows: list("combinations", rowSchema),
});

const strategySchema: Schema<StrategyJson> = object("a strategy", {
  id: text,
  architecture: text,
  defaultSite: text,
  profiles: texts,
  steps: texts,
  summary: text,
  promises: properties,
});

const listed: Schema<ListJson> = object("the document of cmodx list", {
  schema: only("cmodx/list/1"),
  strategies: list("strategies", strategySchema),
});

const show: Schema<ShowJson> = object("the document of cmodx show", {
  schema: only("cmodx/show/1"),
  id: text,
  architecture: text,
  summary: text,
  source: text,
  promises: properties,
  site: siteSchema,
  flips: list("programs", programSchema),
});

const galleryEntrySchema: Schema<GalleryEntryJson> = object("an entry", {
  id: text,
  title: text,
  wrong: verdict,
  fixed: verdict,
  property: orNull(property),
  length: orNull(count),
  status: oneOf<GalleryEntryJson["status"]>({ "as expected": true, "not as expected": true, undecided: true }),
  complaints: texts,
  expected: property,
  why: orNull(text),
  architecture: text,
  fetch: text,
  source: text,
  counterexample: orNull(shortestSchema),
});

const gallery: Schema<GalleryJson> = object("the document of cmodx gallery", {
  schema: only("cmodx/gallery/1"),
  entries: list("entries", galleryEntrySchema),
  interrupted: flag,
});

const expectedFields = { safe: true, unsafe: true, vacuous: true, refused: true, complete: true } as const;

const questionSchema: Schema<QuestionJson> = object("a question", {
  command: text,
  expected: oneOf<QuestionJson["expected"]>(expectedFields),
  expectedProperty: orNull(property),
  verdict: orNull(oneOf<NonNullable<QuestionJson["verdict"]>>({ ...expectedFields, inconclusive: true })),
  property: orNull(property),
  why: orNull(text),
  status: oneOf<QuestionJson["status"]>({
    "as expected": true,
    "not as expected": true,
    undecided: true,
    "not asked": true,
  }),
});

const claimSchema: Schema<ClaimJson> = object("a claim", {
  id: text,
  by: text,
  says: text,
  status: oneOf<ClaimJson["status"]>({ asked: true, beyond: true, unsaid: true }),
  questions: list("questions", questionSchema),
  why: text,
});

const thread: Schema<ThreadJson> = object("the document of cmodx thread", {
  schema: only("cmodx/thread/1"),
  threads: list(
    "threads",
    object<ThreadEntryJson>("a thread", {
      id: text,
      title: text,
      source: text,
      date: text,
      claims: list("claims", claimSchema),
    }),
  ),
  interrupted: flag,
});

const numbers = record("numbers", count);

const siteRowSchema: Schema<SiteRowJson> = object("a site", {
  number: count,
  kind: text,
  symbol: orNull(text),
  section: text,
  address: text,
  offset: orNull(count),
  bytes: text,
  hazards: texts,
  old: text,
  new: orNull(text),
  key: orNull(text),
});

const scannedSchema: Schema<ScannedJson> = object("a file", {
  file: text,
  machine: text,
  sites: numbers,
  hazards: numbers,
  padding: count,
  others: numbers,
  rows: optional(list("sites", siteRowSchema)),
});

const fileErrorFields = { message: text, file: text, place: orNull(text) };

const scan: Schema<ScanJson> = object("the document of cmodx scan", {
  schema: only("cmodx/scan/1"),
  files: list("files", scannedSchema),
  errors: list("errors", object<ScanJson["errors"][number]>("an error", fileErrorFields)),
  interrupted: flag,
});

const allowed = oneOf<NonNullable<LitmusTestJson["expected"]>>({ Allowed: true, Forbidden: true });

const testSchema: Schema<LitmusTestJson> = object("a test", {
  name: text,
  file: text,
  fetch: text,
  verdict: oneOf<LitmusTestJson["verdict"]>({ Allowed: true, Forbidden: true, Inconclusive: true }),
  observation: oneOf<LitmusTestJson["observation"]>({ Never: true, Sometimes: true, Always: true, Unknown: true }),
  complete: flag,
  states: texts,
  flags: texts,
  positive: count,
  negative: count,
  seconds: number,
  expected: orNull(allowed),
  difference: orNull(text),
});

const litmus: Schema<LitmusJson> = object("the document of cmodx litmus", {
  schema: only("cmodx/litmus/1"),
  tests: list("tests", testSchema),
  errors: list("errors", object<LitmusJson["errors"][number]>("an error", fileErrorFields)),
  interrupted: flag,
});

const recorded: Schema<RecordJson> = object("the document of cmodx record", {
  schema: only("cmodx/record/1"),
  strategies: texts,
  architecture: text,
  fetch: text,
  seed: count,
  cpus: whole(1),
  steps: count,
  flips: count,
  files: object<RecordedFilesJson>("files", {
    perf: orNull(text),
    traceDat: orNull(text),
    ctf: orNull(text),
    chrome: orNull(text),
  }),
  branches: orNull(list("CPUs", list("branches", object<BranchJson>("a branch", { from: text, to: text })))),
});

const conform: Schema<ConformJson> = object("the document of cmodx conform", {
  schema: only("cmodx/conform/1"),
  file: text,
  strategy: text,
  architecture: text,
  answer: oneOf<ConformJson["answer"]>({ conforms: true, contradicts: true, "not-covered": true }),
  counts: oneOf<ConformJson["counts"]>({ line: true, event: true }),
  cpus: whole(1),
  changes: count,
  writes: count,
  calls: count,
  gaps: object<ConformJson["gaps"]>("gaps", { judged: count, notCovered: count }),
  before: count,
  contradictions: list(
    "contradictions",
    object<ContradictionJson>("a contradiction", {
      line: count,
      step: orNull(text),
      site: orNull(text),
      cpus: list("CPUs", count),
      why: text,
    }),
  ),
  notCovered: list("lines", object<NotCoveredJson>("lines", { from: count, to: count, why: text })),
  foreign: list("writes", object<ConformJson["foreign"][number]>("a write", { line: count, address: text })),
  more: list("lines", count),
  silent: texts,
});

const spread: Schema<SpreadJson> = object("a distribution", { count, p50: number, p99: number, max: number });
const patch: Schema<PatchJson> = object("the document of cmodx patch", {
  schema: only("cmodx/patch/1"),
  architecture: text,
  cost: text,
  seed: count,
  interrupted: flag,
  runs: list(
    "runs",
    object<PatchRunJson>("a run", {
      strategy: text,
      cpus: whole(1),
      asked: count,
      complete: flag,
      time: number,
      calls: count,
      sites: count,
      batches: count,
      writes: count,
      rounds: count,
      interrupts: count,
      traps: count,
      unclaimed: count,
      stops: count,
      stopped: number,
      graces: count,
      contended: number,
      latency: spread,
      longestPause: spread,
      lost: number,
      text: orNull(
        list("writes", object<NonNullable<PatchRunJson["text"]>[number]>("a write", { address: text, bytes: text })),
      ),
    }),
  ),
});
const cost: Schema<CostJson> = object("the document of cmodx cost show", {
  schema: only("cmodx/cost/1"),
  id: text,
  summary: text,
  parameters: list(
    "parameters",
    object<CostValueJson>("a parameter", { name: text, value: number, unit: text, summary: text, source: text }),
  ),
});

const costFit: Schema<CostFitJson> = object("the document of cmodx cost fit and cost check", {
  schema: only("cmodx/fit/1"),
  fits: list(
    "fits",
    object<FittedJson>("a fit", {
      name: text,
      base: text,
      known: record("numbers", number),
      complete: flag,
      parameters: list(
        "parameters",
        object<FittedJson["parameters"][number]>("a parameter", {
          name: text,
          unit: text,
          before: number,
          value: number,
        }),
      ),
      rows: list(
        "rows",
        object<FittedJson["rows"][number]>("a row", {
          name: text,
          source: text,
          held: flag,
          measured: number,
          predicted: orNull(number),
          deviation: orNull(number),
        }),
      ),
    }),
  ),
});

const error: Schema<ErrorJson> = object("the document of an error", {
  schema: only("cmodx/error/1"),
  code: orNull(
    oneOf<NonNullable<ErrorJson["code"]>>({
      "unknown-field": true,
      "unknown-name": true,
      "missing-field": true,
      "wrong-type": true,
      "out-of-range": true,
      overlap: true,
      "no-code": true,
      undeclared: true,
      unreadable: true,
      impossible: true,
      conflict: true,
      usage: true,
    }),
  ),
  message: text,
  file: orNull(text),
  place: orNull(text),
});

const trace: Schema<SavedTrace> = object("a saved counterexample", {
  schema: only("cmodx/trace/1"),
  model: text,
  request: anything,
  property,
  why: text,
  steps: list("steps", object<Choice>("a choice", choiceFields)),
  loop: optional(count),
});

/** Schemas by the names of the documents: that of `cmodx/check/1` is `check`. */
export const documents = {
  check,
  record: recorded,
  patch,
  cost,
  fit: costFit,
  conform,
  replay,
  matrix,
  pairs,
  ablate,
  list: listed,
  show,
  gallery,
  thread,
  "check-all": checkAll,
  scan,
  litmus,
  error,
  trace,
} as const;
