-- Somebody wants the contact forgotten: from then on nothing is said to it, then all that is known of it goes.
ALTER TABLE contacts ADD COLUMN forget_at INTEGER;

-- A row for each contact that is, or was, to be forgotten, and how far that is.
CREATE TABLE forgettings (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES organizations,
    contact_id INTEGER NOT NULL REFERENCES contacts,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'erasing', 'cleaning', 'at_twilio', 'rinsing', 'done')),
    at_twilio INTEGER NOT NULL, -- 1: Twilio's copies too
    requested_by TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    erased_at INTEGER, -- a copy of the database that is younger does not know the person
    finished_at INTEGER,
    report TEXT NOT NULL DEFAULT '{}' -- JSON: how many of what
) STRICT;
CREATE UNIQUE INDEX forgettings_pending ON forgettings (contact_id) WHERE finished_at IS NULL;

-- Who was forgotten and when, as a hash with a key that lies beside the database and in no copy of it.
CREATE TABLE forgotten (
    who BLOB PRIMARY KEY,
    at INTEGER NOT NULL,
    opted_out_at INTEGER -- NULL: had not asked for no messages
) STRICT, WITHOUT ROWID;

-- Sids outlive their rows, as the first 64 bits of their SHA-256: a message that comes again is never new.
CREATE TABLE known_sids (hash INTEGER PRIMARY KEY) STRICT;

-- Twilio's copies of a forgotten contact's messages that are still to be deleted there.
CREATE TABLE copies_at_twilio (
    sid TEXT PRIMARY KEY,
    forgetting_id INTEGER NOT NULL REFERENCES forgettings
) STRICT, WITHOUT ROWID;
CREATE INDEX copies_at_twilio_forgetting ON copies_at_twilio (forgetting_id);
