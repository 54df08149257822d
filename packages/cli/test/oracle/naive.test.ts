import { explorerAgrees } from "./naive.js";

explorerAgrees(50, 250, 40);
