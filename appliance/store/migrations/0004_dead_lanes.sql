-- A conversation's dead letters, found without walking everybody's.
CREATE INDEX message_queue_dead_lane ON message_queue (lane) WHERE status = 'dead' AND lane IS NOT NULL;
