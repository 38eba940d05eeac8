-- The titles that a menu offered, so that its number can be answered: JSON.
ALTER TABLE outbox ADD COLUMN options TEXT;
-- What customers call a topic, one name a line: found like its title, never shown to them.
ALTER TABLE knowledge ADD COLUMN aliases TEXT NOT NULL DEFAULT '';
-- Changes with the organization's knowledge, so that what is held in memory is made anew then and only then.
ALTER TABLE organizations ADD COLUMN knowledge_version INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER knowledge_inserted;
DROP TRIGGER knowledge_deleted;
DROP TRIGGER knowledge_updated;
DROP TABLE knowledge_fts;
CREATE VIRTUAL TABLE knowledge_fts USING fts5 (
    title, body, aliases, content = 'knowledge', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO knowledge_fts (knowledge_fts) VALUES ('rebuild');
CREATE TRIGGER knowledge_inserted AFTER INSERT ON knowledge BEGIN
    INSERT INTO knowledge_fts (rowid, title, body, aliases) VALUES (new.id, new.title, new.body, new.aliases);
    UPDATE organizations SET knowledge_version = knowledge_version + 1 WHERE id = new.organization_id;
END;
CREATE TRIGGER knowledge_deleted AFTER DELETE ON knowledge BEGIN
    INSERT INTO knowledge_fts (knowledge_fts, rowid, title, body, aliases)
    VALUES ('delete', old.id, old.title, old.body, old.aliases);
    UPDATE organizations SET knowledge_version = knowledge_version + 1 WHERE id = old.organization_id;
END;
CREATE TRIGGER knowledge_updated AFTER UPDATE ON knowledge BEGIN
    INSERT INTO knowledge_fts (knowledge_fts, rowid, title, body, aliases)
    VALUES ('delete', old.id, old.title, old.body, old.aliases);
    INSERT INTO knowledge_fts (rowid, title, body, aliases) VALUES (new.id, new.title, new.body, new.aliases);
    UPDATE organizations SET knowledge_version = knowledge_version + 1 WHERE id = new.organization_id;
END;
