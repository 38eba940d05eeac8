-- Times are integer milliseconds UTC. Organizations are disabled, never deleted.

CREATE TABLE organizations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    language TEXT NOT NULL CHECK (language IN ('pt-BR', 'en', 'es')),
    timezone TEXT NOT NULL,
    instructions TEXT NOT NULL DEFAULT '',
    contact TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES organizations,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT, -- NULL: none until a one-time link sets it
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE channels (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES organizations,
    address TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    watermark_at INTEGER NOT NULL -- Twilio's log is known to be read up to here; first = registration
) STRICT;

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL REFERENCES channels,
    address TEXT NOT NULL,
    profile_name TEXT NOT NULL DEFAULT '',
    opted_out_at INTEGER,
    opted_out_sid TEXT, -- the proof: which message said so
    last_inbound_at INTEGER,
    reminded_at INTEGER,
    paused_until INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (channel_id, address)
) STRICT;

CREATE TABLE conversations (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES organizations,
    channel_id INTEGER NOT NULL REFERENCES channels,
    contact_id INTEGER NOT NULL REFERENCES contacts,
    session_key TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'progress', 'idle', 'human', 'closed')),
    version INTEGER NOT NULL DEFAULT 1, -- optimistic lock of the sweeps
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX conversations_open ON conversations (session_key) WHERE status <> 'closed';
CREATE INDEX conversations_quiet ON conversations (updated_at) WHERE status IN ('pending', 'progress'); -- idle sweep
CREATE INDEX conversations_expiry ON conversations (expires_at) WHERE status <> 'closed'; -- expired sweep
CREATE INDEX conversations_contact ON conversations (contact_id); -- a contact's history

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id INTEGER NOT NULL REFERENCES organizations,
    channel_id INTEGER NOT NULL REFERENCES channels,
    contact_id INTEGER NOT NULL REFERENCES contacts,
    conversation_id INTEGER REFERENCES conversations,
    kind TEXT NOT NULL, -- 'answer', 'manual' or the key of a fixed text
    body TEXT NOT NULL,
    body_hash BLOB NOT NULL, -- SHA-256 of the body, checked before it is sent
    source TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('ready', 'sending', 'doubt', 'sent', 'delivered', 'read', 'failed',
                                         'parked', 'superseded', 'suppressed')),
    reason TEXT NOT NULL DEFAULT '', -- why failed, parked, superseded or suppressed
    attempt INTEGER NOT NULL DEFAULT 0,
    tag TEXT NOT NULL DEFAULT '', -- 64 random bits of the present attempt, in the StatusCallback URL
    sid TEXT,
    status TEXT NOT NULL DEFAULT '', -- Twilio's last word for it
    error_code INTEGER,
    reply_no INTEGER NOT NULL DEFAULT 1,
    intended_by TEXT NOT NULL DEFAULT '', -- the operator behind a retry or a manual message
    idempotency_key TEXT,
    created_at INTEGER NOT NULL,
    sending_at INTEGER,
    sent_at INTEGER
) STRICT;
CREATE UNIQUE INDEX outbox_idempotency ON outbox (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX outbox_unsettled ON outbox (state, id) WHERE state IN ('ready', 'sending', 'doubt', 'parked');
CREATE INDEX outbox_contact ON outbox (contact_id, id); -- loop guard, newest reply
CREATE INDEX outbox_conversation ON outbox (conversation_id, id) WHERE conversation_id IS NOT NULL; -- history

CREATE TABLE cards (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER REFERENCES organizations, -- NULL: the box itself
    kind TEXT NOT NULL,
    subject TEXT NOT NULL, -- what it is about, such as 'outbox:12'
    text TEXT NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    opened_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX cards_open ON cards (kind, subject) WHERE closed_at IS NULL;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- our receive order; Twilio promises none
    sid TEXT NOT NULL UNIQUE, -- the idempotency key, for as long as the row lives
    organization_id INTEGER NOT NULL REFERENCES organizations,
    contact_id INTEGER NOT NULL REFERENCES contacts,
    conversation_id INTEGER NOT NULL REFERENCES conversations,
    body TEXT NOT NULL,
    media TEXT NOT NULL, -- JSON [[url, content type], …]
    message_type TEXT NOT NULL,
    parameters TEXT NOT NULL, -- JSON [[name, value], …]: everything Twilio sent
    idempotency_token TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL CHECK (source IN ('webhook', 'catch_up')),
    notice TEXT, -- the fixed text consent rules chose for it
    received_at INTEGER NOT NULL,
    reply_id INTEGER REFERENCES outbox, -- set once, WHERE it is NULL: replies compete here
    suppressed TEXT, -- why nobody answers it
    card_id INTEGER REFERENCES cards -- dead: the card that says so
) STRICT;
CREATE INDEX messages_conversation ON messages (conversation_id, id);
CREATE INDEX messages_live ON messages (conversation_id, id)
    WHERE reply_id IS NULL AND suppressed IS NULL AND card_id IS NULL;
CREATE INDEX messages_reply ON messages (reply_id) WHERE reply_id IS NOT NULL;

CREATE TABLE delivery_events (
    id INTEGER PRIMARY KEY,
    outbox_id INTEGER REFERENCES outbox, -- NULL: names no row of ours
    reference TEXT NOT NULL,
    sid TEXT NOT NULL,
    status TEXT NOT NULL,
    error_code INTEGER,
    note TEXT NOT NULL DEFAULT '',
    parameters TEXT NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX delivery_events_outbox ON delivery_events (outbox_id) WHERE outbox_id IS NOT NULL;

CREATE TABLE orphaned_messages (
    id INTEGER PRIMARY KEY,
    sid TEXT NOT NULL UNIQUE,
    account_sid TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    body TEXT NOT NULL,
    parameters TEXT NOT NULL,
    reason TEXT NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

CREATE TABLE message_queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    lane TEXT, -- a conversation's session_key, or a tick's kind
    resource TEXT NOT NULL, -- what it needs from outside: 'ai:<organization id>', 'channel:<id>' or ''
    message_sid TEXT, -- the first message it is about
    payload TEXT NOT NULL DEFAULT '{}',
    status TEXT NOT NULL CHECK (status IN ('ready', 'running', 'done', 'dead', 'discarded')),
    attempts INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    alone INTEGER NOT NULL DEFAULT 0, -- 1: claimed as a suspect, while nothing ran that could share the blame
    run INTEGER NOT NULL DEFAULT 0, -- which start of the process claimed it
    run_at INTEGER NOT NULL,
    deadline_at INTEGER, -- set at the first claim
    started_at INTEGER,
    finished_at INTEGER,
    error TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX message_queue_lane ON message_queue (lane) WHERE lane IS NOT NULL AND status IN ('ready', 'running');
CREATE INDEX message_queue_claim ON message_queue (resource, run_at, id) WHERE status = 'ready';
CREATE INDEX message_queue_running ON message_queue (id) WHERE status = 'running';
CREATE INDEX message_queue_dead ON message_queue (id) WHERE status = 'dead';

CREATE TABLE knowledge (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES organizations,
    title TEXT NOT NULL COLLATE NOCASE,
    body TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (organization_id, title)
) STRICT;
CREATE VIRTUAL TABLE knowledge_fts USING fts5 (
    title, body, content = 'knowledge', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER knowledge_inserted AFTER INSERT ON knowledge BEGIN
    INSERT INTO knowledge_fts (rowid, title, body) VALUES (new.id, new.title, new.body);
END;
CREATE TRIGGER knowledge_deleted AFTER DELETE ON knowledge BEGIN
    INSERT INTO knowledge_fts (knowledge_fts, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
END;
CREATE TRIGGER knowledge_updated AFTER UPDATE ON knowledge BEGIN
    INSERT INTO knowledge_fts (knowledge_fts, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
    INSERT INTO knowledge_fts (rowid, title, body) VALUES (new.id, new.title, new.body);
END;

-- One row per fact about the box that must survive it: the run number, the kernel's boot id, the last time seen.
CREATE TABLE box (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- The conservation law by evidence: each received message has exactly one of these.
CREATE VIEW dispositions AS
SELECT m.id, m.sid, m.organization_id, m.conversation_id, m.reply_id,
    CASE
        WHEN m.suppressed = 'answered elsewhere' THEN 'answered' -- by a person, or by another box
        WHEN m.suppressed IS NOT NULL THEN 'suppressed'
        WHEN m.card_id IS NOT NULL THEN 'dead'
        WHEN o.id IS NULL OR o.state IN ('ready', 'sending', 'doubt') THEN 'live'
        WHEN o.sid IS NOT NULL THEN iif(o.kind = 'unavailable', 'apologised', 'answered')
        WHEN o.state = 'suppressed' THEN 'suppressed'
        ELSE 'dead'
    END AS disposition
FROM messages m LEFT JOIN outbox o ON o.id = m.reply_id;

-- An outbox row with the addresses it goes between.
CREATE VIEW outgoing AS
SELECT o.*, ch.address AS sender, c.address AS recipient
FROM outbox o JOIN channels ch ON ch.id = o.channel_id JOIN contacts c ON c.id = o.contact_id;
