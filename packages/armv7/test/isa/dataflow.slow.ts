import { executionsKeepToTheirData } from "./dataflow.js";

executionsKeepToTheirData(200);
