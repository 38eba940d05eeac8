-- An address may be a channel of several accounts at Twilio: the WhatsApp sandbox's number is shared by all the world.
-- So a channel is found by its account and its address, and lanes bear its id. Foreign keys are off while this runs.
DROP VIEW outgoing;
CREATE TABLE new_channels (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- lanes are named by it: no id is used twice
    organization_id INTEGER NOT NULL REFERENCES organizations,
    account TEXT NOT NULL DEFAULT 'main', -- by its name in the configuration
    address TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    watermark_at INTEGER NOT NULL, -- Twilio's log is known to be read up to here; first = registration
    UNIQUE (account, address)
) STRICT;
INSERT INTO new_channels (id, organization_id, address, created_at, watermark_at)
SELECT id, organization_id, address, created_at, watermark_at FROM channels;

-- What is finished keeps its old lane: nobody asks for it any more.
DROP INDEX message_queue_lane;
UPDATE message_queue SET lane =
    (SELECT ch.id FROM channels ch WHERE ch.address = substr(lane, 1, instr(lane, '|') - 1)) || substr(lane, instr(lane, '|'))
WHERE status IN ('ready', 'running', 'dead')
AND substr(lane, 1, instr(lane, '|') - 1) IN (SELECT address FROM channels);
CREATE UNIQUE INDEX message_queue_lane ON message_queue (lane) WHERE lane IS NOT NULL AND status IN ('ready', 'running');

DROP INDEX conversations_open;
UPDATE conversations SET session_key = channel_id || '|' || (SELECT address FROM contacts WHERE id = contact_id);
CREATE UNIQUE INDEX conversations_open ON conversations (session_key) WHERE status <> 'closed';

DROP TABLE channels;
ALTER TABLE new_channels RENAME TO channels;

-- Of a POST that was made before its channel moved to another account: what that one says of it counts.
ALTER TABLE attempts ADD COLUMN account TEXT; -- NULL: the channel's

-- An outbox row with the addresses it goes between, and the account whose it is.
CREATE VIEW outgoing AS
SELECT o.*, ch.address AS sender, c.address AS recipient, ch.account AS account
FROM outbox o JOIN channels ch ON ch.id = o.channel_id JOIN contacts c ON c.id = o.contact_id;
