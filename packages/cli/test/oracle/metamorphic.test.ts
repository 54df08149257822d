import { moreBreaksNoLess } from "./metamorphic.js";

moreBreaksNoLess(25, 300, 5);
