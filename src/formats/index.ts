export * from './contract.ts'
export { storedName, nameKey, uniqueName } from './stored-name.ts'
export {
  mailItemFile,
  BOUNDARY_IN_CONTENT,
  type ItemFileOptions,
  type ItemFilePart,
} from './mail-item-file.ts'
export { readMailItemFile } from './read-mail-item-file.ts'
export { exportEml } from './export-eml.ts'
export { zipFiles, type ZipEntry } from './zip-files.ts'
