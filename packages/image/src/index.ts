export { type Elf, readElf } from "./elf.js";
export { type Hazard, hazardKinds, hazards, lineOffsets } from "./hazards.js";
export { describeMachine } from "./machines.js";
export { readImage } from "./read-image.js";
export { selectSite } from "./select-site.js";
export { findSites, isPadding, type PatchSite, type SiteKind, siteKinds } from "./sites.js";
export { type OtherKind, otherKinds, otherTables } from "./tables/others.js";
export { type TextWrite, type ToggledSite, toggleWrites } from "./toggle.js";
