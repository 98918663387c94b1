/** Names of users and accounts are compared without regard to letter case. */
export const accountKeyOf = (name: string): string => name.trim().normalize('NFC').toLowerCase()
