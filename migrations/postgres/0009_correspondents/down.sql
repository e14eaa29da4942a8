DROP TABLE correspondents;
DROP TABLE correspondence;
