import { runCommands } from "./docs.js";

runCommands({ many: true });
