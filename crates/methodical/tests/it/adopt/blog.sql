-- A blog as a framework makes it, with whatever grew on it over the years.
CREATE TABLE "users" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  "email" varchar(255) NOT NULL COLLATE NOCASE,
  "password_hash" varchar(128) NOT NULL,
  "display name" TEXT NOT NULL DEFAULT '',
  "is_admin" boolean NOT NULL DEFAULT 0,
  "settings" JSON NOT NULL DEFAULT '{}',
  "karma" bigint NOT NULL DEFAULT 0,
  "createdAt" datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "reset_token" TEXT
);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE UNIQUE INDEX users_token ON users (reset_token) WHERE reset_token IS NOT NULL;
CREATE TABLE posts (
  id TEXT PRIMARY KEY NOT NULL,            -- a UUID
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  parent TEXT REFERENCES posts (id) ON DELETE SET NULL,
  slug TEXT NOT NULL UNIQUE CHECK (slug <> '' AND slug GLOB '[a-z0-9]*' AND length(slug) <= 80),
  title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
  body TEXT NOT NULL DEFAULT '' /* markdown, with a "quote ( */,
  status TEXT NOT NULL DEFAULT 'draft' CHECK ("status" = 'draft' OR "status" = 'published' OR status IN ('gone')),
  published_at INTEGER CHECK (published_at IS NULL OR published_at >= 0),
  rating REAL CHECK (0 <= rating AND rating <= 5),
  words INTEGER GENERATED ALWAYS AS (length(body) - length(replace(body, ' ', '')) + 1) STORED,
  shout TEXT AS (upper(title)) VIRTUAL,
  CHECK (status <> 'published' OR published_at IS NOT NULL)
);
CREATE INDEX posts_by_user ON posts (user_id, published_at);
CREATE INDEX posts_recent ON posts (published_at DESC) WHERE status = 'published';
CREATE INDEX posts_shout ON posts (upper(title));
CREATE TABLE tags (name TEXT PRIMARY KEY COLLATE NOCASE) WITHOUT ROWID;
CREATE TABLE post_tags (
  post_id TEXT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
  tag TEXT NOT NULL REFERENCES tags (name) ON UPDATE CASCADE,
  PRIMARY KEY (post_id, tag)
) WITHOUT ROWID;
CREATE TABLE comments (
  id INTEGER PRIMARY KEY,
  post_id TEXT NOT NULL REFERENCES posts (id),
  reply_to INTEGER REFERENCES comments (id),
  author,                                  -- no type at all: a name, or the number of a user
  text TEXT,
  CONSTRAINT "says something" CHECK (length(trim(text)) > 0)
);
CREATE TABLE search ("when" TEXT, q TEXT, hits INTEGER);        -- no primary key, and a name that is ours
CREATE TABLE "2024 stats" ("#" INTEGER PRIMARY KEY, "Día" DATE NOT NULL, "page views" INT, "page_views" INT);
CREATE TABLE attachments (id BLOB PRIMARY KEY, post_id TEXT REFERENCES posts (id), name TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE thumbnails (attachment BLOB NOT NULL REFERENCES attachments (id), width INT NOT NULL, height INT NOT NULL, PRIMARY KEY (attachment, width));
CREATE VIRTUAL TABLE posts_fts USING fts5 (title, body, content = 'posts');

INSERT INTO users (email, password_hash, "display name", is_admin, settings, karma, createdAt, reset_token) VALUES
  ('Alice@example.com', '$argon2id$v=19$x', 'Alice', 1, '{"theme": "dark", "per page": 20}', 9223372036854775807, '2020-01-01T10:00:00Z', NULL),
  ('bob@example.com', '$argon2id$v=19$y', '', 0, '{}', -5, '2020-01-02T10:00:00.5Z', 't1'),
  ('zoë@example.com', '$argon2id$v=19$z', 'Zoë', 0, '[1, 2.5, null]', 0, '2021-06-01T00:00:00+02:00', 't2');
DELETE FROM users WHERE id = 9;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
INSERT INTO posts (id, user_id, parent, slug, title, body, status, published_at, rating)
SELECT printf('018f3c5e-7b1a-7c3d-9e4f-%012x', i), 1 + i % 3, CASE WHEN i > 1 AND i % 4 = 0 THEN printf('018f3c5e-7b1a-7c3d-9e4f-%012x', i / 2) END,
  'post-' || i, 'Post ' || i, 'Some words of post ' || i, CASE i % 3 WHEN 0 THEN 'draft' ELSE 'published' END,
  CASE WHEN i % 3 > 0 THEN 1577836800 + i * 86400 END, CASE WHEN i % 5 = 0 THEN NULL WHEN i % 2 = 0 THEN 5 ELSE i % 4 + 0.5 END FROM n;
INSERT INTO tags VALUES ('Rust'), ('sql'), ('c++'), ('naïve ideas');
INSERT INTO post_tags SELECT id, 'rust' FROM posts WHERE rating > 4;
INSERT INTO post_tags SELECT id, 'c++' FROM posts WHERE user_id = 2;
INSERT INTO post_tags SELECT id, 'naïve ideas' FROM posts WHERE user_id = 3;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700)
INSERT INTO comments SELECT i, printf('018f3c5e-7b1a-7c3d-9e4f-%012x', 1 + i % 250), CASE WHEN i % 7 = 0 THEN i - 1 END,
  CASE WHEN i % 3 = 0 THEN 1 + i % 3 WHEN i % 3 = 1 THEN 'Guest ' || i END, CASE WHEN i % 50 = 0 THEN NULL ELSE 'Comment ' || i || char(10) || '"quoted", 100%' END FROM n;
UPDATE comments SET text = 'a' || char(0) || 'b' WHERE id = 11;
UPDATE comments SET text = CAST(x'ff6162' AS TEXT) WHERE id = 12;
UPDATE comments SET text = x'ffd8' WHERE id = 13;
INSERT INTO search VALUES ('2024-01-01', 'rust', 3), ('2024-01-02', 'sql', NULL), ('2024-01-02', 'rust', 'many');
INSERT INTO "2024 stats" VALUES (1, '2024-01-01', 10, 11), (2, '2024-01-02', NULL, 12);
INSERT INTO attachments SELECT randomblob(16), printf('018f3c5e-7b1a-7c3d-9e4f-%012x', 1 + value), 'file' || value || '.png', randomblob(100 + value) FROM (WITH RECURSIVE n(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n WHERE value < 9) SELECT value FROM n);
INSERT INTO thumbnails SELECT id, w.width, 75 FROM attachments, (SELECT 100 AS width UNION SELECT 200) AS w;
CREATE VIEW published AS SELECT * FROM posts WHERE status = 'published' ORDER BY published_at DESC;
CREATE TRIGGER comments_fold AFTER DELETE ON posts BEGIN DELETE FROM comments WHERE post_id = OLD.id; END;
