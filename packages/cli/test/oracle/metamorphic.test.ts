import { moreBreaksNoLess } from "./metamorphic.js";

moreBreaksNoLess(10, 300, 2);
