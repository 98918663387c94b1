/** Where a pack lies. */
export const packPath = (id: string): string => `data/${id.slice(0, 2)}/${id}`
