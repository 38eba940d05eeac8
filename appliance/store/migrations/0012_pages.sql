-- The owner's pages: who may look in, what is paused, opening hours, texts of one's own, what nobody knew, what was
-- charged, and how Twilio's log compares.
ALTER TABLE users ADD COLUMN admin INTEGER NOT NULL DEFAULT 0; -- 1: sees every organization and the box's own parts
ALTER TABLE users ADD COLUMN language TEXT; -- of the pages; NULL: the organization's
ALTER TABLE users ADD COLUMN seen_at INTEGER;
CREATE TABLE sessions (
    hash BLOB PRIMARY KEY, -- SHA-256 of what the browser's cookie says
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL -- it lasts for 30 days from here
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE TABLE sign_in_links (
    hash BLOB PRIMARY KEY, -- SHA-256 of the link's last part
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_links_user ON sign_in_links (user_id);

CREATE TABLE pauses (
    subject TEXT PRIMARY KEY, -- 'box', 'organization:<id>' or 'contact:<id>'
    organization_id INTEGER REFERENCES organizations, -- NULL: the box
    contact_id INTEGER REFERENCES contacts, -- NULL: everybody
    began_at INTEGER NOT NULL,
    until INTEGER, -- NULL: until somebody resumes
    ended_at INTEGER, -- somebody resumed; the row stays, as what had waited for it is known by it
    paused_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who answered a customer and since when, for whoever reads the conversation.
ALTER TABLE contacts ADD COLUMN handover_by TEXT NOT NULL DEFAULT ''; -- whose hands; empty: not known, or nobody's yet
ALTER TABLE contacts ADD COLUMN spoke_at INTEGER; -- a person's last word
UPDATE contacts SET spoke_at = handover_at WHERE handover = 'taken';
ALTER TABLE contacts ADD COLUMN due_at INTEGER; -- when a person was promised, where it was told while closed
CREATE TABLE handover_events (
    id INTEGER PRIMARY KEY,
    contact_id INTEGER NOT NULL REFERENCES contacts,
    what TEXT NOT NULL CHECK (what IN ('asked', 'promised', 'taken', 'asked_back', 'given_back')),
    who TEXT NOT NULL DEFAULT '', -- a user's e-mail; 'api', 'cli', 'console'; empty: the customer, or time
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX handover_events_contact ON handover_events (contact_id, at);

ALTER TABLE organizations ADD COLUMN hours TEXT NOT NULL DEFAULT '[]'; -- JSON: Week of model; []: always
CREATE TABLE texts (
    organization_id INTEGER NOT NULL REFERENCES organizations,
    language TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, language, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE unanswered (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES organizations,
    contact_id INTEGER NOT NULL REFERENCES contacts,
    message_id INTEGER NOT NULL REFERENCES messages,
    words TEXT NOT NULL, -- the question folded: equal ones are one
    question TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    settled_at INTEGER -- taught, or put away
) STRICT;
CREATE INDEX unanswered_open ON unanswered (organization_id, asked_at) WHERE settled_at IS NULL;
CREATE INDEX unanswered_alike ON unanswered (organization_id, words) WHERE settled_at IS NULL;
CREATE UNIQUE INDEX unanswered_message ON unanswered (contact_id, message_id);
CREATE TABLE topic_answers (
    organization_id INTEGER NOT NULL REFERENCES organizations,
    title TEXT NOT NULL COLLATE NOCASE,
    day TEXT NOT NULL, -- 2026-11-30, where the organization is
    answers INTEGER NOT NULL,
    PRIMARY KEY (organization_id, day, title)
) STRICT, WITHOUT ROWID;
ALTER TABLE knowledge ADD COLUMN changed_by TEXT NOT NULL DEFAULT '';
CREATE INDEX outbox_topic ON outbox (organization_id, source, id) WHERE kind = 'answer';

ALTER TABLE outbox ADD COLUMN segments INTEGER; -- as Twilio reports them
ALTER TABLE outbox ADD COLUMN price TEXT; -- a decimal number, as Twilio reports it some time later
ALTER TABLE outbox ADD COLUMN price_unit TEXT;
-- A person is listed once, by the newest conversation, whatever the number of older ones.
ALTER TABLE conversations ADD COLUMN is_newest INTEGER NOT NULL DEFAULT 1; -- 0: its contact has a later one
UPDATE conversations SET is_newest = 0
WHERE id < (SELECT max(n.id) FROM conversations n WHERE n.contact_id = conversations.contact_id);
CREATE INDEX conversations_recent ON conversations (organization_id, updated_at, id) WHERE is_newest = 1;
CREATE INDEX messages_contact ON messages (contact_id, id); -- all that a person wrote, newest first

ALTER TABLE channels ADD COLUMN back_at INTEGER; -- when it was taken into use again after it had been removed
CREATE TABLE statements (
    organization_id INTEGER NOT NULL REFERENCES organizations,
    account TEXT NOT NULL,
    day TEXT NOT NULL, -- 2026-11-30, where the organization is
    compared_at INTEGER NOT NULL,
    compared_to INTEGER NOT NULL, -- what is younger was left out
    there INTEGER NOT NULL, -- messages in Twilio's log
    here INTEGER NOT NULL, -- messages that we have
    settled TEXT NOT NULL DEFAULT '{}', -- JSON: how many as what
    PRIMARY KEY (organization_id, account, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE differences (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES organizations,
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    sid TEXT NOT NULL,
    kind TEXT NOT NULL,
    contact_id INTEGER REFERENCES contacts,
    found_at INTEGER NOT NULL,
    settled_at INTEGER,
    UNIQUE (account, sid, kind)
) STRICT;
CREATE INDEX differences_day ON differences (organization_id, day);
CREATE INDEX differences_contact ON differences (contact_id) WHERE contact_id IS NOT NULL;
