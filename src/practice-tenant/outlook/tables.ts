import type Database from 'better-sqlite3'

// Numbers: a folder or message has a number within its mailbox; its key in the database is `box × 2³² + number`.
// `change` is the mailbox's counter at the last change of a row, `mail_removed` what has left a folder since: together
// they are the log that delta reads. Each appears at its newest position only, as in a compacted log.

const SCHEMA = `
CREATE TABLE IF NOT EXISTS mail_boxes (
  box INTEGER PRIMARY KEY, user TEXT NOT NULL UNIQUE, position INTEGER NOT NULL, messages INTEGER NOT NULL,
  folders INTEGER NOT NULL, epoch INTEGER NOT NULL, trouble INTEGER
);
CREATE TABLE IF NOT EXISTS mail_folders (
  id INTEGER PRIMARY KEY, box INTEGER NOT NULL, parent INTEGER, name TEXT NOT NULL, well_known TEXT,
  is_hidden INTEGER NOT NULL, change INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS mail_folders_box ON mail_folders (box, change);
CREATE UNIQUE INDEX IF NOT EXISTS mail_folders_name ON mail_folders (parent, name COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS mail_removed_folders (
  box INTEGER NOT NULL, change INTEGER NOT NULL, folder INTEGER NOT NULL, PRIMARY KEY (box, change)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mail_messages (
  id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, variant INTEGER NOT NULL, template INTEGER NOT NULL,
  received INTEGER NOT NULL, sent INTEGER, created INTEGER, modified INTEGER, is_read INTEGER NOT NULL,
  is_draft INTEGER NOT NULL, has_attachments INTEGER NOT NULL, flag TEXT, categories TEXT, change INTEGER NOT NULL,
  place INTEGER NOT NULL, internet_id TEXT, whole TEXT
);
CREATE INDEX IF NOT EXISTS mail_messages_received ON mail_messages (folder, received);
CREATE INDEX IF NOT EXISTS mail_messages_change ON mail_messages (folder, change, is_read);
CREATE INDEX IF NOT EXISTS mail_messages_internet_id ON mail_messages (internet_id) WHERE internet_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS mail_removed (
  folder INTEGER NOT NULL, change INTEGER NOT NULL, message INTEGER NOT NULL, place INTEGER NOT NULL,
  PRIMARY KEY (folder, change)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mail_attachments (
  message INTEGER NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, content_type TEXT,
  is_inline INTEGER NOT NULL, content_id TEXT, content_location TEXT, size INTEGER NOT NULL, modified INTEGER NOT NULL,
  bytes BLOB NOT NULL, item TEXT, reference TEXT, PRIMARY KEY (message, number)
);
CREATE TABLE IF NOT EXISTS mail_uploads (
  id TEXT PRIMARY KEY, secret TEXT NOT NULL, message INTEGER NOT NULL, description TEXT NOT NULL,
  size INTEGER NOT NULL, received INTEGER NOT NULL, expires INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS mail_upload_parts (
  upload TEXT NOT NULL, start INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (upload, start)
);
`

/** Makes the tables of the mail part where they are missing. */
export const makeMailTables = (db: Database.Database): void => {
  db.exec(SCHEMA)
}
