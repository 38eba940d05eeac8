-- Each POST of a row with its own tag and times: what Twilio says of any of them is evidence.
CREATE TABLE attempts (
    outbox_id INTEGER NOT NULL REFERENCES outbox,
    number INTEGER NOT NULL, -- 1, 2, …; below 1: a message of Twilio's that no POST of ours explains
    tag TEXT NOT NULL, -- 64 random bits in the StatusCallback URL
    started_at INTEGER NOT NULL,
    ended_at INTEGER, -- NULL: under way; of a POST whose process died the restart
    sid TEXT, -- Twilio's name for it, once anybody told it
    guessed INTEGER NOT NULL DEFAULT 0, -- 1: by the text that stands in the log; a callback knows better
    status TEXT NOT NULL DEFAULT '', -- Twilio's last word for it, or 'refused' where the POST was answered with no
    error_code INTEGER,
    PRIMARY KEY (outbox_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO attempts (outbox_id, number, tag, started_at, ended_at, sid, status, error_code)
SELECT id, attempt, tag, coalesce(sending_at, created_at), iif(state = 'sending', NULL, coalesce(sent_at, sending_at, created_at)), sid,
    iif(state = 'failed' AND sid IS NULL, 'refused', status), error_code
FROM outbox WHERE attempt > 0;

ALTER TABLE outbox ADD COLUMN covers TEXT NOT NULL DEFAULT '[]'; -- JSON: the messages that it was written for
ALTER TABLE outbox ADD COLUMN absent_at INTEGER; -- since its last attempt: the first read of the log that lacked it
UPDATE outbox SET covers = (SELECT json_group_array(m.id) FROM messages m WHERE m.reply_id = outbox.id)
WHERE state IN ('ready', 'sending', 'doubt', 'parked');

-- An answer that failed, or was not delivered for good, has answered nobody.
DROP VIEW dispositions;
CREATE VIEW dispositions AS
SELECT m.id, m.sid, m.organization_id, m.conversation_id, m.reply_id,
    CASE
        WHEN m.suppressed = 'answered elsewhere' THEN 'answered' -- by a person, or by another box
        WHEN m.suppressed IS NOT NULL THEN 'suppressed'
        WHEN m.card_id IS NOT NULL THEN 'dead'
        WHEN o.id IS NULL OR o.state IN ('ready', 'sending', 'doubt') THEN 'live'
        WHEN o.state IN ('sent', 'delivered', 'read') THEN iif(o.kind = 'unavailable', 'apologised', 'answered')
        WHEN o.state = 'suppressed' THEN 'suppressed'
        ELSE 'dead'
    END AS disposition
FROM messages m LEFT JOIN outbox o ON o.id = m.reply_id;

CREATE INDEX message_queue_letter ON message_queue (json_extract(payload, '$.outbox')) WHERE status = 'dead';
-- So far no command reached a parked row: each is a dead letter from now on.
INSERT INTO message_queue (kind, lane, resource, message_sid, payload, status, run_at, finished_at, created_at, error)
SELECT 'send_reply', v.session_key, '', (SELECT min(m.sid) FROM messages m WHERE m.reply_id = o.id),
    iif(v.id IS NULL, json_object('outbox', o.id), json_object('outbox', o.id, 'conversation', v.id)),
    'dead', o.created_at, o.created_at, o.created_at, 'not sure it arrived: ' || o.reason
FROM outbox o LEFT JOIN conversations v ON v.id = o.conversation_id
WHERE o.state = 'parked' AND NOT EXISTS (
    SELECT 1 FROM message_queue q WHERE q.status = 'dead' AND json_extract(q.payload, '$.outbox') = o.id);
