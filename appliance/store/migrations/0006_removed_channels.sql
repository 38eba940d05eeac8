-- A channel that was removed keeps its messages; what is written to it then is an orphan.
ALTER TABLE channels ADD COLUMN removed_at INTEGER; -- NULL: in use
