import { explorerAgrees } from "./naive.js";

explorerAgrees(1400, 1200, 2000);
