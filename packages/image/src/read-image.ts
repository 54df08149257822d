import { flatKernel } from "./containers/kernel-files.js";
import { unpack } from "./containers/unpack.js";
import { type Elf, elfOf } from "./elf.js";
import { FileView } from "./file-view.js";
import { readFlat } from "./kernel/flat.js";

/**
 * Reads a kernel or a module as distributions ship it: an ELF file as {@link readElf} reads it, a kernel's `Image` of arm64 or riscv, or
 * either inside of an x86 bzImage, an ARM zImage, an EFI zboot image or a file compressed with gzip, xz, zstd or lz4.
 *
 * What is in no container is not copied: the result looks into `bytes`, which must not change.
 *
 * @param bytes The whole file.
 * @param options.name The file's name for messages; by default `(input)`.
 * @returns The file inside; places are those of the kernel in memory before it moves itself.
 * @throws InputError when the file is of no such kind, is cut off or broken, inflates to more than 2^28 bytes, or is a kernel
 *   without headers and without the symbols (CONFIG_KALLSYMS) that tell what is where.
 */
export async function readImage(bytes: Uint8Array, options: { readonly name?: string } = {}): Promise<Elf> {
  const { file, containers } = await unpack(new FileView(bytes, options.name ?? "(input)"));
  const kernel = flatKernel(file) ?? (containers.includes("zImage") ? { machine: 40 as const } : undefined);
  return kernel ? readFlat(file, kernel) : elfOf(file);
}
