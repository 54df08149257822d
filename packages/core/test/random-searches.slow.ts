import { agreeWithNaive, outcomesAgree, stubbornSetsAgree } from "./random-searches.js";

// The batches that explorer.test.ts, explorer-stubborn.test.ts and outcomes.test.ts leave out.
agreeWithNaive([40, 60, 80, 100, 120, 140]);
stubbornSetsAgree([40, 160, 200, 240, 280]);
outcomesAgree([45, 60, 75, 90, 105]);
