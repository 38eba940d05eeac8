-- One person, several addresses. A link is a row that can be undone; keys, lanes and recipients stay each address's own.
CREATE TABLE contact_links (
    id INTEGER PRIMARY KEY,
    contact_id INTEGER NOT NULL REFERENCES contacts, -- the smaller id of the two
    other_id INTEGER NOT NULL REFERENCES contacts,
    evidence TEXT NOT NULL, -- what Twilio told, or 'by hand'
    linked_at INTEGER NOT NULL,
    undone_at INTEGER,
    undone_by TEXT NOT NULL DEFAULT '',
    CHECK (contact_id < other_id)
) STRICT;
CREATE UNIQUE INDEX contact_links_pair ON contact_links (contact_id, other_id) WHERE undone_at IS NULL;
CREATE INDEX contact_links_other ON contact_links (other_id);

-- What Twilio calls a contact besides its address. Who writes by it for the first time is joined to the contact.
CREATE TABLE contact_aliases (
    contact_id INTEGER NOT NULL REFERENCES contacts,
    address TEXT NOT NULL,
    evidence TEXT NOT NULL,
    noted_at INTEGER NOT NULL,
    PRIMARY KEY (contact_id, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_aliases_address ON contact_aliases (address);

-- Made of the links, so that whoever has no other address costs nothing: the smallest id of a person's contacts.
ALTER TABLE contacts ADD COLUMN person_id INTEGER;
CREATE INDEX contacts_person ON contacts (person_id) WHERE person_id IS NOT NULL;
-- A later word counts, by whichever address; so it does not undo the other address's own, which is back without the link.
ALTER TABLE contacts ADD COLUMN opted_in_at INTEGER;

ALTER TABLE outbox ADD COLUMN seen INTEGER; -- the person's newest message that its writer knew; NULL: those it covers
-- A sid that was only guessed may be another row's: a callback for that one asks whose guess it is.
CREATE INDEX attempts_guessed ON attempts (sid) WHERE guessed = 1;

DROP VIEW outgoing;
CREATE VIEW outgoing AS
SELECT o.*, ch.address AS sender, c.address AS recipient, ch.account AS account, c.person_id AS person_id
FROM outbox o JOIN channels ch ON ch.id = o.channel_id JOIN contacts c ON c.id = o.contact_id;
