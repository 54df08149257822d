import { moreBreaksNoLess } from "./metamorphic.js";

moreBreaksNoLess(250, 2000, 100);
