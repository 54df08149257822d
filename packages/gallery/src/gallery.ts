import { arm64Gallery } from "./arm64/index.js";
import { armv7Gallery } from "./armv7/index.js";
import type { GalleryEntry } from "./entry.js";
import { riscvGallery } from "./riscv/index.js";
import { x86Gallery } from "./x86/index.js";

/** Every entry, those of one architecture together, in the order of their numbers. */
export const gallery: readonly GalleryEntry[] = [...x86Gallery, ...arm64Gallery, ...riscvGallery, ...armv7Gallery];

/** The entries of a number: the one of that id, and its further sides. */
export const entriesOf = (id: string, entries: readonly GalleryEntry[] = gallery): readonly GalleryEntry[] =>
  entries.filter((entry) => entry.id === id || entry.id.startsWith(`${id}-`));
