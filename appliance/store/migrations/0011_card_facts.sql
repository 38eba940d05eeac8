-- A card holds its kind, its subject and facts; the sentence is made when it is shown, in the reader's language. Cards
-- from before keep their text.
ALTER TABLE cards ADD COLUMN facts TEXT NOT NULL DEFAULT '{}'; -- JSON
ALTER TABLE cards ADD COLUMN dismissed TEXT; -- why the owner put it away
ALTER TABLE cards ADD COLUMN alerted_at INTEGER; -- when the owner was told of it elsewhere
ALTER TABLE cards ADD COLUMN reminders INTEGER NOT NULL DEFAULT 0; -- how many have fallen due
UPDATE cards SET kind = 'stranger' WHERE kind = 'orphan' AND subject LIKE 'account_sid:%';
UPDATE cards SET alerted_at = last_at;
-- Refused credentials have a card of their own now, which the watch opens where they still are.
UPDATE cards SET closed_at = last_at WHERE closed_at IS NULL AND kind = 'twilio' AND text LIKE '%(Twilio error 20003)%';
CREATE INDEX cards_untold ON cards (id) WHERE closed_at IS NULL AND alerted_at IS NULL;
CREATE INDEX cards_told ON cards (kind, subject, alerted_at) WHERE alerted_at IS NOT NULL; -- what comes back soon
