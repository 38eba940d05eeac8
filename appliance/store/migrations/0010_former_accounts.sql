-- The accounts that a channel belonged to before it moved: they keep what was said through them. Their logs are read a
-- little longer, as they may be behind.
CREATE TABLE former_accounts (
    channel_id INTEGER NOT NULL REFERENCES channels ON DELETE CASCADE,
    account TEXT NOT NULL,
    read_from INTEGER, -- NULL: the log was read to the end, or it is given up
    moved_at INTEGER,
    PRIMARY KEY (channel_id, account)
) STRICT, WITHOUT ROWID;
INSERT INTO former_accounts (channel_id, account)
SELECT DISTINCT o.channel_id, a.account FROM attempts a JOIN outbox o ON o.id = a.outbox_id WHERE a.account IS NOT NULL;

-- A copy at Twilio is one account's. Where nobody can tell whose, there is a row for each that may have it.
CREATE TABLE new_copies (
    sid TEXT NOT NULL,
    account TEXT NOT NULL,
    forgetting_id INTEGER NOT NULL REFERENCES forgettings,
    PRIMARY KEY (sid, account)
) STRICT, WITHOUT ROWID;
INSERT INTO new_copies
SELECT k.sid, h.account, k.forgetting_id
FROM copies_at_twilio k JOIN forgettings f ON f.id = k.forgetting_id JOIN contacts c ON c.id = f.contact_id
JOIN (SELECT id, account FROM channels UNION SELECT channel_id, account FROM former_accounts) h ON h.id = c.channel_id;
DROP TABLE copies_at_twilio;
ALTER TABLE new_copies RENAME TO copies_at_twilio;
CREATE INDEX copies_at_twilio_forgetting ON copies_at_twilio (forgetting_id, sid);

-- What a forgetting waits for (NULL: it goes on), since when, since when Twilio's log cannot be read, and the next look.
ALTER TABLE forgettings ADD COLUMN waits_for TEXT;
ALTER TABLE forgettings ADD COLUMN waits_since INTEGER;
ALTER TABLE forgettings ADD COLUMN unread_since INTEGER;
ALTER TABLE forgettings ADD COLUMN look_at INTEGER;
