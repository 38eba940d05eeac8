-- Who answers a customer belongs to the contact: a promise outlives the conversation in which it was made.
ALTER TABLE contacts ADD COLUMN handover TEXT CHECK (handover IN ('asked', 'taken', 'unknown')); -- NULL: the appliance
ALTER TABLE contacts ADD COLUMN handover_at INTEGER; -- the request for a person, or a person's last word
ALTER TABLE contacts ADD COLUMN resume_at INTEGER; -- somebody wants it handed back; Twilio's log is read first
CREATE INDEX contacts_handover ON contacts (handover_at) WHERE handover IS NOT NULL;

ALTER TABLE messages ADD COLUMN handed_back TEXT; -- the hand-over in which it had waited before it was live again
CREATE INDEX messages_held ON messages (contact_id, id) WHERE suppressed IN ('a person is in charge', 'promised');

-- So far the conversation alone knew it, from the request until it expired.
UPDATE contacts SET handover = 'asked', handover_at = (
    SELECT coalesce((SELECT max(o.created_at) FROM outbox o WHERE o.conversation_id = v.id AND o.kind = 'handoff'),
                    v.updated_at)
    FROM conversations v WHERE v.contact_id = contacts.id AND v.status = 'human')
WHERE id IN (SELECT contact_id FROM conversations WHERE status = 'human');
UPDATE messages SET suppressed = 'a person was in charge'
WHERE suppressed = 'a person is in charge'
AND conversation_id NOT IN (SELECT id FROM conversations WHERE status = 'human');
-- A customer who left and wrote again waits for nobody: that card goes with the conversation, as before.
UPDATE cards SET kind = 'opted_out'
WHERE kind = 'waiting' AND closed_at IS NULL AND text LIKE '%asked for no messages%';
