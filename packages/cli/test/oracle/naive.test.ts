import { explorerAgrees } from "./naive.js";

explorerAgrees(40, 250, 40);
