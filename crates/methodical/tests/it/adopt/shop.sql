-- A shop whose tables have keys of several columns, as they were designed on paper.
CREATE TABLE warehouse (
  code CHAR(3) NOT NULL PRIMARY KEY CHECK (code GLOB '[A-Z][A-Z][A-Z]'),
  name VARCHAR(40) NOT NULL,
  active CHAR(1) NOT NULL DEFAULT 'Y' CHECK (active IN ('Y', 'N'))
) WITHOUT ROWID;
CREATE TABLE article (
  maker CHAR(3) NOT NULL,
  number INTEGER NOT NULL,
  ean TEXT UNIQUE,
  name VARCHAR(80) NOT NULL COLLATE NOCASE,
  price DECIMAL(10, 2) NOT NULL CHECK (price > 0),
  weight FLOAT CHECK (weight < 1000.5),
  launched DATE,
  PRIMARY KEY (maker, number),
  UNIQUE (maker, name)
);
CREATE TABLE stock (
  warehouse CHAR(3) NOT NULL REFERENCES warehouse,
  maker CHAR(3) NOT NULL,
  number INTEGER NOT NULL,
  pieces INTEGER NOT NULL DEFAULT 0 CHECK (pieces >= 0),
  counted_on DATE NOT NULL,
  PRIMARY KEY (warehouse, maker, number),
  FOREIGN KEY (maker, number) REFERENCES article (maker, number) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE customer ("customer no" TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, "e-mail" TEXT UNIQUE COLLATE NOCASE, "limit" MONEY);
CREATE TABLE purchase (
  year INTEGER NOT NULL,
  serial INTEGER NOT NULL,
  customer TEXT NOT NULL REFERENCES customer ("customer no"),
  placed DATETIME NOT NULL,
  total DECIMAL(12, 2),
  PRIMARY KEY (year, serial)
);
CREATE TABLE line (
  year INTEGER NOT NULL,
  serial INTEGER NOT NULL,
  position INTEGER NOT NULL,
  maker CHAR(3),
  number INTEGER,
  ean TEXT REFERENCES article (ean),
  pieces INTEGER NOT NULL CHECK (pieces BETWEEN 1 AND 999),
  PRIMARY KEY (year, serial, position),
  FOREIGN KEY (year, serial) REFERENCES purchase ON DELETE CASCADE,
  FOREIGN KEY (maker, number) REFERENCES article
);
CREATE INDEX line_article ON line (maker, number);
CREATE TABLE shipment (
  id INTEGER NOT NULL PRIMARY KEY,
  year INTEGER, serial INTEGER, position INTEGER,
  warehouse CHAR(3) REFERENCES warehouse (code),
  carrier VARCHAR(10),
  FOREIGN KEY (year, serial, position) REFERENCES line (year, serial, position)
);
CREATE TABLE legacy (id INTEGER PRIMARY KEY, article_ean TEXT REFERENCES article (ean), gone INTEGER REFERENCES dropped_table (id), flag TINYINT(1));
CREATE TABLE counter (id INTEGER PRIMARY KEY, what TEXT NOT NULL);

INSERT INTO warehouse VALUES ('BER', 'Berlin', 'Y'), ('HAM', 'Hamburg', 'N'), ('ROM', 'Roma', 'Y');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO article SELECT CASE i % 3 WHEN 0 THEN 'ACM' WHEN 1 THEN 'BRT' ELSE 'ZEN' END, i, CASE WHEN i % 10 = 0 THEN NULL ELSE printf('40%011d', i) END,
  'Article ' || i, i * 1.5, CASE WHEN i % 4 = 0 THEN NULL ELSE i / 8.0 END, CASE WHEN i % 2 = 0 THEN date('2020-02-28', '+' || i || ' days') END FROM n;
INSERT INTO stock SELECT w.code, a.maker, a.number, (a.number * 7) % 50, '2024-02-29' FROM warehouse w JOIN article a ON (a.number + length(w.name)) % 2 = 0;
INSERT INTO customer VALUES ('K 001', 'Ada', 'Ada@example.com', 100), ('K/002', 'Bert', NULL, 99.5), ('K003', 'Cleo', 'cleo@example.com', NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
INSERT INTO purchase SELECT 2020 + i % 4, i, CASE i % 3 WHEN 0 THEN 'K 001' WHEN 1 THEN 'K/002' ELSE 'K003' END, datetime('2020-01-01', '+' || i || ' hours'), CASE WHEN i % 6 > 0 THEN i * 2.25 END FROM n;
INSERT INTO line SELECT p.year, p.serial, x.position, CASE WHEN (p.serial + x.position) % 9 > 0 THEN a.maker END, CASE WHEN (p.serial + x.position) % 9 > 0 THEN a.number END, a.ean, 1 + p.serial % 20
  FROM purchase p, (SELECT 1 AS position UNION SELECT 2 UNION SELECT 3) x JOIN article a ON a.number = 1 + (p.serial * x.position) % 120;
INSERT INTO shipment SELECT row_number() OVER (), year, serial, CASE WHEN serial % 10 = 0 THEN NULL ELSE position END, CASE serial % 3 WHEN 0 THEN 'BER' WHEN 1 THEN 'ROM' END, 'DHL' FROM line WHERE position = 1;
INSERT INTO legacy VALUES (1, '4000000000001', NULL, 1), (2, 'not an EAN', 7, 0), (3, NULL, NULL, NULL);
INSERT INTO counter VALUES (0, 'zero'), (-5, 'minus five'), (3, 'three');
CREATE VIEW expensive AS SELECT maker, number, name FROM article WHERE price > 100 ORDER BY price DESC;
